import assert from 'node:assert/strict';
import { Client } from 'pg';
import { CertDeskError } from '../../lib/model/errors';
import { migrate } from '../../lib/repository/migrate';
import { openRepository } from '../../lib/repository/open';
import { openPostgres } from '../../lib/repository/postgres';
import { createPool, type PostgresAccess } from '../../lib/repository/postgres-pool';
import { Store } from '../../lib/repository/store';
import { issue, makeCa } from '../lab/certificates';
import { Postgres, sharedPostgres } from '../lab/postgres';
import { closedPort } from '../lab/tls-servers';
import { skip } from '../support/skip';
import { sampleCertificate, sampleReport } from './samples';

const INSTALL_TIMEOUT_MS = 10 * 60_000;
/** How long it is waited here for what may pass; users wait longer. */
const BUSY_LIMIT_MS = 100;

/** What a user reads who opens a repository there. */
async function refusal(access: PostgresAccess): Promise<string> {
  const store = new Store(openPostgres(access), BUSY_LIMIT_MS);
  try {
    await store.prepare(migrate);
  } catch (error) {
    assert.ok(error instanceof CertDeskError);
    assert.ok(!error.message.includes(access.password), 'the password is told');
    return `${error.code} ${error.message}`;
  } finally {
    await store.close();
  }
  return 'opened';
}

describe('a PostgreSQL repository that cannot be used says what to do', function () {
  this.timeout(120_000); // creating a database waits for the disk
  let server: Postgres;
  let access: PostgresAccess & { username: string };
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const started = await sharedPostgres();
    if ('skipped' in started) skip(this, started.skipped);
    server = started;
  });
  beforeEach(async () => {
    access = await server.takeDatabase();
  });
  afterEach(() => server.giveBack(access));
  const admin = (statement: string): Promise<unknown> => server.admin(statement, access.database);

  it('when its text lacks characters', async () => {
    await server.admin(`create database narrow owner ${access.username} encoding 'LATIN1' template template0`);
    assert.match(await refusal({ ...access, database: 'narrow' }), /^CONFIG .*LATIN1.*encoding 'UTF8'/);
    await server.admin('drop database narrow with (force)');
  });

  it('when no server answers', async () => {
    const port = await closedPort();
    assert.match(await refusal({ ...access, port }), /^REPOSITORY .*No server answers.*correct host and port/);
    assert.match(await refusal({ ...access, host: 'localhost', port }), /No server answers.*\(.+\)$/);
    assert.match(await refusal({ ...access, host: 'nowhere.invalid' }), /host is unknown|could not be made/);
    assert.match(await refusal({ ...access, host: '/tmp/certdesk-no-socket' }), /no socket of a server/);
  });

  it('when the password is wrong or missing', async () => {
    assert.match(await refusal({ ...access, password: 'not-this-one' }), /password is wrong.*deploy/);
    assert.match(await refusal({ ...access, username: 'stranger' }), /password is wrong.*deploy/);
    const store = new Store(openPostgres({ ...access, password: '' }), BUSY_LIMIT_MS);
    await assert.rejects(store.prepare(migrate), /asks for a password/);
    await store.close();
  });

  it('when there is no such database', async () => {
    assert.match(await refusal({ ...access, database: 'nonesuch' }), /no such database.*Create it/);
  });

  it('when the user may not make tables, or not write in them', async () => {
    await admin('alter schema public owner to postgres');
    assert.match(await refusal(access), /no schema to make tables in.*owner of the database/);
    await admin(`grant usage on schema public to ${access.username}`);
    assert.match(await refusal(access), /lacks a right.*owner of the database/);
    await admin('alter schema public owner to pg_database_owner');
    assert.equal(await refusal(access), 'opened');
    await admin('alter table commit_mark owner to postgres');
    assert.match(await refusal(access), /lacks a right/);
  });

  it('when the server has no connection left for it', async () => {
    await admin(`alter role ${access.username} connection limit 0`);
    assert.match(await refusal(access), /no connection left.*max_connections/);
    await admin(`alter role ${access.username} connection limit -1`);
  });

  it('when it can only be read, before the first write in the night', async () => {
    assert.equal(await refusal(access), 'opened');
    await admin(`alter role ${access.username} set default_transaction_read_only = on`);
    assert.match(await refusal(access), /only be read.*takes writes/);
    await admin(`alter role ${access.username} reset default_transaction_read_only`);
  });

  it('when a newer version wrote it, and nothing in it changes', async () => {
    assert.equal(await refusal(access), 'opened');
    await admin("insert into kysely_migration values ('0099-from-the-future', '2030-01-01T00:00:00.000Z')");
    assert.match(await refusal(access), /newer version.*0099-from-the-future.*Update CertDesk/);
    assert.match(await refusal(access), /newer version/);
  });

  it('when another application has tables of these names', async () => {
    await admin('create table run (id integer)');
    assert.match(await refusal(access), /Another application.*database of its own/);
  });

  it('when another process holds it and does not let go', async () => {
    assert.equal(await refusal(access), 'opened');
    const other = new Client({ ...access, user: access.username });
    await other.connect();
    await other.query("begin; select pg_advisory_xact_lock(1667592820, hashtext('public'))");
    assert.match(await refusal(access), /Another process keeps it locked/);
    await other.end();
  });

  it('when the package pg is missing', () => {
    const load = (): never => {
      throw Object.assign(new Error("Cannot find module 'pg'"), { code: 'MODULE_NOT_FOUND' });
    };
    assert.throws(() => createPool(access, load), { code: 'CONFIG', message: /npm install pg.*user folder/ });
  });

  it('but is no trouble to another application in a schema of its own', async () => {
    await admin('create schema other; create table other.kysely_migration (name text, timestamp text)');
    await admin("insert into other.kysely_migration values ('2020-theirs', '')");
    assert.equal(await refusal(access), 'opened');
    await admin('drop schema other cascade');
  });

  it('leaves out a report with a character that PostgreSQL cannot keep, says so once and writes all others', async () => {
    const repository = await openRepository({ kind: 'postgres', ...access });
    repository.record(sampleReport({ domain: 'nul\u0000.example' }));
    for (let port = 1; port <= 60; port++) repository.record(sampleReport({ port }));
    await assert.rejects(repository.flush(), { code: 'REPOSITORY', message: /such as NUL/ });
    await repository.flush();
    assert.equal((await repository.endpoints()).length, 60);
    await repository.close();
  });

  it('leaves out a report with a port that no column takes, also when it is the only one', async () => {
    const repository = await openRepository({ kind: 'postgres', ...access });
    repository.record(sampleReport({ port: 2 ** 40 }));
    await assert.rejects(repository.flush(), { code: 'REPOSITORY', message: /out of range/ });
    assert.deepEqual(await repository.endpoints(), []);
    await repository.close();
  });

  it('keeps a certificate whatever its maker wrote into its names', async () => {
    const repository = await openRepository({ kind: 'postgres', ...access });
    const noise = Array.from({ length: 9_000 }, (_, index) => ((index * 7919) % 65_521).toString(36)).join('');
    const certificate = sampleCertificate('0A', { issuer: `CN=a\u0000b ${noise}`, serialNumber: noise });
    repository.record(sampleReport({ certificate }));
    const { fingerprint256 } = certificate;
    assert.deepEqual((await repository.certificates([fingerprint256])).get(fingerprint256), certificate);
    assert.equal((await repository.ambiguousCertificates([fingerprint256])).size, 0);
    await repository.close();
  });
});

describe('TLS to PostgreSQL', function () {
  this.timeout(60_000);
  let server: Postgres;
  let access: PostgresAccess;
  let ca: string;
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const lab = await makeCa('CertDesk Lab CA');
    const tls = await issue(lab, { commonName: 'db.example', dns: ['db.example'], keyType: 'ec256' });
    const started = await Postgres.start({ tls, access: ['hostssl all all 127.0.0.1/32 scram-sha-256'] });
    if ('skipped' in started) skip(this, started.skipped);
    server = started;
    access = await server.takeDatabase();
    ca = lab.cert;
  });
  after(() => server?.close());

  it('is used when it is asked for, and the certificate is checked for the name that is given', async () => {
    assert.equal(await refusal({ ...access, tls: { ca, servername: 'db.example' } }), 'opened');
  });

  it('is refused when the certificate is of another name or CA', async () => {
    const other = (await makeCa('Another CA')).cert;
    for (const tls of [{ ca }, { ca, servername: 'other.example' }, { ca: other, servername: 'db.example' }, {}]) {
      assert.match(await refusal({ ...access, tls }), /certificate is not trusted.*Give its CA/, JSON.stringify(tls));
    }
    assert.match(
      await refusal({ ...access, host: 'localhost', tls: { ca, servername: 'other.example' } }),
      /certificate is not trusted/,
      'a host name does not stand in for the name that is given',
    );
  });

  it('is named as what may be missing when the server asks for it', async () => {
    assert.match(await refusal(access), /may ask for TLS.*TLS configuration/);
  });

  it('is named as what the server does not have', async () => {
    const plain = await sharedPostgres();
    assert.ok(!('skipped' in plain));
    assert.match(await refusal({ ...access, port: plain.port, tls: { ca } }), /TLS turned off.*take the TLS/);
  });
});
