import { chmod, chown, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type StarttlsServerName =
  'postfix' | 'slapd' | 'prosody' | 'vsftpd' | 'inn2' | 'mariadb' | 'postgresql' | 'dovecot';

/** Where one server may write, and what it is to use. */
export interface Place {
  folder: string;
  /** Where the packages are unpacked. */
  root: string;
  /** Of 127.0.0.1, one for each protocol. */
  ports: readonly number[];
  /** Files; the key belongs to `ACCOUNT`. */
  cert: string;
  key: string;
}

export interface Command {
  argv: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export interface StarttlsServer {
  protocols: readonly string[];
  packages: readonly string[];
  /** `unpacked` into the lab, or `installed`, for those with paths that cannot be set. */
  how: 'unpacked' | 'installed';
  /** Writes its configuration. The server stays in the foreground. */
  prepare(place: Place): Promise<Command>;
}

/** An account that every Debian has, for servers that refuse to be root. */
export const ACCOUNT = { name: 'daemon', uid: 1, gid: 1 } as const;
/** A group that none of the servers uses otherwise. */
const OTHER_GROUP = { name: 'games', gid: 60 } as const;

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/** Each speaks TLS as its defaults have it. */
export const STARTTLS_SERVERS: Readonly<Record<StarttlsServerName, StarttlsServer>> = {
  postfix: { protocols: ['smtp'], packages: ['postfix'], how: 'unpacked', prepare: postfix },
  slapd: { protocols: ['ldap'], packages: ['slapd'], how: 'unpacked', prepare: slapd },
  prosody: { protocols: ['xmpp'], packages: ['prosody'], how: 'unpacked', prepare: prosody },
  vsftpd: { protocols: ['ftp'], packages: ['vsftpd'], how: 'unpacked', prepare: vsftpd },
  inn2: { protocols: ['nntp'], packages: ['inn2'], how: 'unpacked', prepare: inn2 },
  mariadb: { protocols: ['mysql'], packages: ['mariadb-server-core'], how: 'unpacked', prepare: mariadb },
  postgresql: { protocols: ['postgres'], packages: ['postgresql-15'], how: 'installed', prepare: postgresql },
  dovecot: {
    protocols: ['imap', 'pop3', 'sieve'],
    packages: ['dovecot-imapd', 'dovecot-pop3d', 'dovecot-managesieved'],
    how: 'installed',
    prepare: dovecot,
  },
};

async function postfix({ folder, root, ports, cert, key }: Place): Promise<Command> {
  const daemons = join(root, 'usr/lib/postfix/sbin');
  const queue = join(folder, 'queue');
  const data = join(folder, 'data');
  await makeFolders(data, join(queue, 'pid'), join(queue, 'private'), join(queue, 'public'), join(queue, 'maildrop'));
  await Promise.all([data, join(queue, 'private')].map(path => chown(path, ACCOUNT.uid, ACCOUNT.gid)));
  await Promise.all(
    [join(queue, 'public'), join(queue, 'maildrop')].map(path => chown(path, ACCOUNT.uid, OTHER_GROUP.gid)),
  );
  await writeFile(
    join(folder, 'main.cf'),
    lines([
      'compatibility_level = 3.6',
      `command_directory = ${join(root, 'usr/sbin')}`,
      `daemon_directory = ${daemons}`,
      `shlib_directory = ${join(root, 'usr/lib/postfix')}`,
      `meta_directory = ${folder}`,
      `queue_directory = ${queue}`,
      `data_directory = ${data}`,
      `mail_owner = ${ACCOUNT.name}`,
      `setgid_group = ${OTHER_GROUP.name}`,
      'import_environment = MAIL_CONFIG LD_LIBRARY_PATH',
      `maillog_file = ${join(folder, 'log')}`,
      `maillog_file_prefixes = ${folder}`,
      'inet_interfaces = 127.0.0.1',
      'inet_protocols = ipv4',
      'myhostname = a.example',
      'mynetworks = 127.0.0.0/8',
      'alias_maps =',
      'local_recipient_maps =', // its default asks a service that is not there
      'smtpd_tls_security_level = may',
      `smtpd_tls_cert_file = ${cert}`,
      `smtpd_tls_key_file = ${key}`,
    ]),
  );
  await writeFile(
    join(folder, 'master.cf'),
    lines([
      `127.0.0.1:${ports[0]} inet n - n - - smtpd`,
      'anvil unix - - n - 1 anvil',
      'tlsmgr unix - - n 1000? 1 tlsmgr',
      'postlog unix-dgram n - n - 1 postlogd',
    ]),
  );
  return {
    argv: [join(daemons, 'master'), '-d', '-c', folder],
    env: { LD_LIBRARY_PATH: join(root, 'usr/lib/postfix') },
  };
}

async function slapd({ folder, root, ports, cert, key }: Place): Promise<Command> {
  const config = join(folder, 'slapd.conf');
  await writeFile(config, lines([`TLSCertificateFile ${cert}`, `TLSCertificateKeyFile ${key}`]));
  return {
    argv: [join(root, 'usr/sbin/slapd'), '-d', '0', '-f', config, '-h', `ldap://127.0.0.1:${ports[0]}`],
    env: { LD_LIBRARY_PATH: join(root, LIBRARIES) },
  };
}

async function prosody({ folder, root, ports, cert, key }: Place): Promise<Command> {
  const data = join(folder, 'data');
  const config = join(folder, 'prosody.cfg.lua');
  const program = join(folder, 'prosody');
  await makeFolders(data);
  await chown(data, ACCOUNT.uid, ACCOUNT.gid);
  await writeFile(
    config,
    lines([
      `data_path = "${data}"`,
      'interfaces = { "127.0.0.1" }',
      `c2s_ports = { ${ports[0]} }`,
      'modules_enabled = { "saslauth", "tls" }',
      'modules_disabled = { "s2s", "http", "offline" }',
      `ssl = { certificate = "${cert}", key = "${key}" }`,
      'log = { { levels = { min = "warn" }, to = "console" } }',
      'VirtualHost "a.example"',
    ]),
  );
  // its paths stand in the program itself
  const lua = await readFile(join(root, 'usr/bin/prosody'), 'utf8');
  await writeFile(
    program,
    lua
      .replace("'/etc/prosody'", `'${folder}'`)
      .replace("'/var/lib/prosody'", `'${data}'`)
      .replaceAll("'/usr/lib/prosody", `'${join(root, 'usr/lib/prosody')}`),
  );
  const scripts = join(root, 'usr/share/lua/5.4');
  return {
    argv: [...asAccount(), join(root, 'usr/bin/lua5.4'), program, '-F', '--config', config],
    env: {
      LUA_PATH: `${scripts}/?.lua;${scripts}/?/init.lua;;`,
      LUA_CPATH: `${join(root, LIBRARIES)}/lua/5.4/?.so;;`,
      LD_LIBRARY_PATH: join(root, LIBRARIES),
    },
  };
}

async function vsftpd({ folder, root, ports, cert, key }: Place): Promise<Command> {
  const empty = join(folder, 'empty');
  const config = join(folder, 'vsftpd.conf');
  await makeFolders(empty);
  await writeFile(
    config,
    lines([
      'listen=YES',
      'listen_address=127.0.0.1',
      `listen_port=${ports[0]}`,
      'background=NO',
      'ftp_username=nobody',
      'ssl_enable=YES',
      'allow_anon_ssl=YES',
      `rsa_cert_file=${cert}`,
      `rsa_private_key_file=${key}`,
      `secure_chroot_dir=${empty}`,
    ]),
  );
  return { argv: [join(root, 'usr/sbin/vsftpd'), config] };
}

/** Only the part that serves readers; it opens an overview, which is empty. */
async function inn2({ folder, root, ports, cert, key }: Place): Promise<Command> {
  const config = join(folder, 'inn.conf');
  const parts = ['db', 'run', 'tmp', 'log', 'spool', 'overview', 'bin'].map(name => join(folder, name));
  const programs = join(root, 'usr/lib/news/bin');
  const [db = '', run = '', tmp = '', log = '', spool = '', overview = '', bin = ''] = parts;
  await makeFolders(...parts);
  await Promise.all(parts.map(path => chown(path, ACCOUNT.uid, ACCOUNT.gid)));
  await Promise.all(
    [join(db, 'active'), join(db, 'newsgroups'), join(db, 'history'), join(spool, 'tradspool.map')].map(path =>
      writeFile(path, ''),
    ),
  );
  await Promise.all(
    ['readers.conf', 'storage.conf'].map(name => copyFile(join(root, 'etc/news', name), join(folder, name))),
  );
  const innbind = join(bin, 'innbind'); // as unpacked, it is for root and the group news alone
  await copyFile(join(programs, 'innbind'), innbind);
  await chmod(innbind, 0o755);
  await writeFile(
    config,
    lines([
      'mta: "/bin/true"',
      'organization: lab',
      'domain: a.example',
      'pathhost: a.example',
      'hismethod: hisv6',
      'ovmethod: tradindexed',
      `pathnews: ${join(root, 'usr/lib/news')}`,
      `pathetc: ${folder}`,
      `pathbin: ${bin}`,
      `pathdb: ${db}`,
      `pathrun: ${run}`,
      `pathtmp: ${tmp}`,
      `pathlog: ${log}`,
      `pathspool: ${spool}`,
      `pathoverview: ${overview}`,
      `runasuser: ${ACCOUNT.name}`,
      `runasgroup: ${ACCOUNT.name}`,
      `tlscertfile: ${cert}`,
      `tlskeyfile: ${key}`,
      `tlscapath: ${folder}`,
    ]),
  );
  const serve = `"$0/overchan" < /dev/null && exec "$0/nnrpd" -D -f -b 127.0.0.1 -p ${ports[0]}`;
  return {
    argv: [...asAccount(), 'sh', '-c', serve, programs],
    env: { INNCONF: config, LD_LIBRARY_PATH: `${join(root, 'usr/lib/news')}:${join(root, LIBRARIES)}` },
  };
}

/** Without its tables of users: nobody logs in. */
async function mariadb({ folder, root, ports, cert, key }: Place): Promise<Command> {
  const data = join(folder, 'data');
  await makeFolders(data);
  await chown(data, ACCOUNT.uid, ACCOUNT.gid);
  return {
    argv: [
      join(root, 'usr/sbin/mariadbd'),
      '--no-defaults',
      `--user=${ACCOUNT.name}`,
      `--datadir=${data}`,
      `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
      '--skip-grant-tables',
      '--default-storage-engine=MyISAM',
      '--skip-innodb',
      '--bind-address=127.0.0.1',
      `--port=${ports[0]}`,
      `--socket=${join(folder, 'data/socket')}`,
      `--ssl-cert=${cert}`,
      `--ssl-key=${key}`,
    ],
    env: { LD_LIBRARY_PATH: join(root, LIBRARIES) },
  };
}

async function postgresql({ folder, ports, cert, key }: Place): Promise<Command> {
  const [version = ''] = (await readdir('/usr/lib/postgresql')).sort((a, b) => Number(b) - Number(a));
  const programs = join('/usr/lib/postgresql', version, 'bin');
  const data = join(folder, 'data');
  await makeFolders(data);
  await chown(data, ACCOUNT.uid, ACCOUNT.gid);
  const options = ['listen_addresses=127.0.0.1', `port=${ports[0]}`, `unix_socket_directories=${data}`];
  options.push('ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`, 'fsync=off');
  const serve = `"$0/initdb" -D "$1" --no-sync --auth=reject > /dev/null && shift && exec "$0/postgres" "$@"`;
  return {
    argv: [...asAccount(), 'sh', '-c', serve, programs, data, '-D', data, ...options.flatMap(option => ['-c', option])],
  };
}

async function dovecot({ folder, ports, cert, key }: Place): Promise<Command> {
  const config = join(folder, 'dovecot.conf');
  const [imap, pop3, sieve] = ports;
  const login = (name: string, listener: string, port: number | undefined): string =>
    lines([
      `service ${name}-login {`,
      `  inet_listener ${listener} {`,
      `    port = ${port}`,
      '  }',
      ...(name === 'managesieve' ? [] : [`  inet_listener ${listener}s {`, '    port = 0', '  }']),
      '}',
    ]);
  await writeFile(
    config,
    lines([
      `base_dir = ${join(folder, 'run')}`,
      `state_dir = ${join(folder, 'run')}`,
      'log_path = /dev/stderr',
      'protocols = imap pop3 sieve',
      'listen = 127.0.0.1',
      'ssl = yes',
      `ssl_cert = <${cert}`,
      `ssl_key = <${key}`,
      login('imap', 'imap', imap),
      login('pop3', 'pop3', pop3),
      login('managesieve', 'sieve', sieve),
      'passdb {',
      '  driver = static',
      '  args = nopassword',
      '}',
    ]),
  );
  return { argv: ['/usr/sbin/dovecot', '-F', '-c', config] };
}

function asAccount(): string[] {
  return ['setpriv', `--reuid=${ACCOUNT.name}`, `--regid=${ACCOUNT.name}`, '--clear-groups', '--'];
}

async function makeFolders(...paths: string[]): Promise<void> {
  await Promise.all(paths.map(path => mkdir(path, { recursive: true })));
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}
