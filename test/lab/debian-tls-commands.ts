import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What every server of Debian's can be told here. */
export interface DebianOptions {
  /** PEM, with the chain after it; of several, one per kind of key where the server can have more than one. */
  certs: readonly { cert: string; key: string }[];
  /** Lines in the server's own language: of a configuration file, else arguments. */
  lines?: readonly string[];
  /** DER of an OCSP answer to staple. */
  staple?: Buffer;
}

/** Where a server may write, and where on 127.0.0.1 it listens. */
export interface DebianPlace extends DebianOptions {
  folder: string;
  port: number;
  /** Names of the files that `certs` and `staple` were written to. */
  files: { cert: string; key: string; both: string }[];
  stapleFile: string;
}

export interface DebianServerKind {
  packages: readonly string[];
  /** It has no option for the address that it listens on. */
  listensEverywhere?: true;
  /** Writes what it needs into the folder; the command and its arguments. */
  command: (place: DebianPlace) => Promise<[string, ...string[]]>;
}

const text = (...parts: (string | readonly string[])[]): string => `${parts.flat().join('\n')}\n`;

async function configured(place: DebianPlace, content: string, name = 'server.conf'): Promise<string> {
  const file = join(place.folder, name);
  await writeFile(file, content);
  return file;
}

/** The first certificate's files, for servers that have one. */
function first(place: DebianPlace): { cert: string; key: string; both: string } {
  const [only] = place.files;
  if (only === undefined) throw new Error('A server needs a certificate');
  return only;
}

async function nginx(place: DebianPlace): Promise<[string, ...string[]]> {
  const listen = `listen 127.0.0.1:${place.port} ssl`;
  const certs = place.files.flatMap(({ cert, key }) => [`ssl_certificate ${cert};`, `ssl_certificate_key ${key};`]);
  const staple = place.staple ? ['ssl_stapling on;', `ssl_stapling_file ${place.stapleFile};`] : [];
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${place.folder}/${name};`,
  );
  const file = await configured(
    place,
    text(
      `pid ${place.folder}/pid; error_log stderr; daemon off; master_process off;`,
      'events { worker_connections 1000; }',
      ['http { access_log off;', ...paths, `server { ${listen}; server_name a.example;`, ...certs, ...staple],
      place.lines ?? [],
      '} }',
    ),
  );
  return ['nginx', '-e', 'stderr', '-p', place.folder, '-c', file];
}

/** How each one is started in the foreground. */
export const DEBIAN_SERVERS = {
  nginx: { packages: ['nginx-light'], command: nginx },
  /** It knows one name, and ends the handshake with alert 112 for every other and for none. */
  'nginx-sni': {
    packages: ['nginx-light'],
    command: async place =>
      nginx({
        ...place,
        lines: [
          ...(place.lines ?? []),
          `} server { listen 127.0.0.1:${place.port} ssl default_server; ssl_reject_handshake on;`,
          ...(place.lines ?? []), // versions are settled before the name is
        ],
      }),
  },
  gnutls: {
    packages: ['gnutls-bin', 'tcc'],
    listensEverywhere: true,
    command: async place => [
      'gnutls-serv',
      ...['--echo', '--quiet', '--disable-client-cert', '--port', String(place.port)],
      ...place.files.flatMap(({ cert, key }) => ['--x509certfile', cert, '--x509keyfile', key]),
      ...(place.staple ? ['--ocsp-response', place.stapleFile, '--ignore-ocsp-response-errors'] : []),
      ...(place.lines ?? []),
    ],
  },
  stunnel: {
    packages: ['stunnel4'],
    command: async place => {
      const { cert, key } = first(place);
      const service = [`accept = 127.0.0.1:${place.port}`, `cert = ${cert}`, `key = ${key}`, 'exec = /bin/cat'];
      const global = ['foreground = yes', 'pid =', 'syslog = no'];
      return ['stunnel4', await configured(place, text(global, '[lab]', service, place.lines ?? []))];
    },
  },
  /** One connection at a time. */
  's-server': {
    packages: ['openssl'],
    command: async place => {
      const { cert, key } = first(place);
      const staple = place.staple ? ['-status_file', place.stapleFile] : [];
      const files = ['-cert', cert, '-key', key, '-CAfile', cert, '-www'];
      return ['openssl', 's_server', '-accept', `127.0.0.1:${place.port}`, ...files, ...staple, ...(place.lines ?? [])];
    },
  },
  lighttpd: {
    packages: ['lighttpd', 'lighttpd-mod-openssl'],
    command: async place => {
      const { cert, key } = first(place);
      const file = await configured(
        place,
        text(
          `server.document-root = "${place.folder}"`,
          'server.bind = "127.0.0.1"',
          `server.port = ${place.port}`,
          'server.modules = ("mod_openssl")',
          'ssl.engine = "enable"',
          `ssl.pemfile = "${cert}"`,
          `ssl.privkey = "${key}"`,
          place.lines ?? [],
        ),
      );
      return ['lighttpd', '-D', '-f', file];
    },
  },
  haproxy: {
    packages: ['haproxy'],
    command: async place => {
      const { both } = first(place);
      const file = await configured(
        place,
        text(
          ['global', ...(place.lines ?? []), 'defaults', 'mode http', 'timeout client 20s'],
          ['timeout connect 5s', 'timeout server 20s', 'frontend lab'],
          [`bind 127.0.0.1:${place.port} ssl crt ${both}`, 'http-request return status 200'],
        ),
      );
      return ['haproxy', '-db', '-q', '-f', file];
    },
  },
  apache: {
    packages: ['apache2-bin'],
    command: async place => {
      const modules = ['mpm_event', 'authz_core', 'ssl'].map(
        name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      );
      const certs = place.files.flatMap(({ cert, key }) => [
        `SSLCertificateFile ${cert}`,
        `SSLCertificateKeyFile ${key}`,
      ]);
      const file = await configured(
        place,
        text(
          [
            `ServerRoot ${place.folder}`,
            `PidFile ${place.folder}/pid`,
            `ErrorLog ${place.folder}/log`,
            'ServerName a.example',
          ],
          [`Listen 127.0.0.1:${place.port} https`, 'User www-data', 'Group www-data', ...modules],
          ['SSLSessionCache none', 'SSLEngine on', ...certs, ...(place.lines ?? [])],
        ),
      );
      return ['apache2', '-DFOREGROUND', '-f', file];
    },
  },
  /** The TLS of Go. */
  caddy: {
    packages: ['caddy'],
    command: async place => {
      const { cert, key } = first(place);
      const site = [`https://:${place.port} {`, 'bind 127.0.0.1', `tls ${cert} ${key}`, 'respond ok', '}'];
      const content = text('{', 'admin off', 'auto_https off', '}', site);
      const file = await configured(place, content, 'Caddyfile');
      return ['env', `HOME=${place.folder}`, 'caddy', 'run', '--adapter', 'caddyfile', '--config', file];
    },
  },
  /** Its lines are those of a policy file. */
  botan: {
    packages: ['botan', 'tcc'],
    listensEverywhere: true,
    command: async place => {
      const { cert, key } = first(place);
      const policy = place.lines ? [`--policy=${await configured(place, text(place.lines), 'policy')}`] : [];
      return ['botan', 'tls_server', cert, key, `--port=${place.port}`, ...policy];
    },
  },
  /** Mozilla's NSS. */
  nss: {
    packages: ['libnss3-tools', 'openssl', 'tcc'],
    listensEverywhere: true,
    command: async place => {
      const { cert, key } = first(place);
      const store = `sql:${place.folder}`;
      const bundle = join(place.folder, 'both.p12');
      const out = ['-out', bundle, '-passout', 'pass:', '-name', 'lab'];
      await run('openssl', ['pkcs12', '-export', '-in', cert, '-inkey', key, ...out]);
      await run('certutil', ['-N', '-d', store, '--empty-password']);
      await run('pk12util', ['-i', bundle, '-d', store, '-W', '', '-K', '']);
      return ['selfserv', '-d', store, '-n', 'lab', '-p', String(place.port), ...(place.lines ?? [])];
    },
  },
} as const satisfies Record<string, DebianServerKind>;

export type DebianServerName = keyof typeof DEBIAN_SERVERS;
