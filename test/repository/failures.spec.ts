import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { CertDeskError, type ErrorCode } from '../../lib/model/errors';
import type { EndpointReport } from '../../lib/model/report';
import { openRepository } from '../../lib/repository/open';
import { onEveryProduct, usePlace } from '../support/repositories';
import type { Answer, Order } from './child';
import { sampleReport, sampleSummary, sampleWork, useFolder } from './samples';

const NOBODY = 65534;

function isError(code: ErrorCode, ...texts: RegExp[]): (error: unknown) => true {
  return error => {
    assert.ok(error instanceof CertDeskError);
    assert.equal(error.code, code);
    for (const text of texts) assert.match(error.message, text);
    return true;
  };
}

describe('a repository that cannot be used', function () {
  this.timeout(60_000); // the children compile their own TypeScript
  const folder = useFolder();
  const open = (path: string) => openRepository({ kind: 'sqlite', path });

  it('is told when it has no path', async () => {
    await assert.rejects(open(' '), isError('CONFIG', /path/));
  });

  it('is told when its file is no database, and the file is left alone', async () => {
    const path = join(folder(), 'repository.db');
    const text = 'shopping list\n'.repeat(500);
    await writeFile(path, text);
    await assert.rejects(open(path), isError('REPOSITORY', /no SQLite database/, /repository\.db/));
    assert.equal(await readFile(path, 'utf8'), text);
  });

  it('is told when its file is damaged', async () => {
    const path = join(folder(), 'repository.db');
    await (await open(path)).close();
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0xa5, 1024, bytes.length));
    await assert.rejects(
      open(path).then(repository => repository.endpoints()),
      isError('REPOSITORY', /damaged.*backup/s),
    );
  });

  it('is told when a folder stands where the file should be, or a file where the folder should', async () => {
    await mkdir(join(folder(), 'repository.db'));
    await assert.rejects(open(join(folder(), 'repository.db')), isError('REPOSITORY', /cannot be opened/));
    await writeFile(join(folder(), 'file'), '');
    await assert.rejects(
      open(join(folder(), 'file', 'repository.db')),
      isError('REPOSITORY', /part of the path is a file/),
    );
  });

  it('is told when a newer version wrote it, and nothing in it changes', async () => {
    const path = join(folder(), 'repository.db');
    await (await open(path)).close();
    const database = new Database(path);
    database.exec("insert into kysely_migration values ('0099-from-the-future', '2030-01-01T00:00:00.000Z')");
    database.close();
    await assert.rejects(open(path), isError('REPOSITORY', /newer version/, /0099-from-the-future/, /Update CertDesk/));
    await assert.rejects(open(path), isError('REPOSITORY', /newer version/));
  });

  for (const [what, mode] of [
    ['file', 0o444],
    ['folder', 0o555],
  ] as const) {
    it(`is told when its ${what} can only be read`, async () => {
      const path = join(folder(), 'repository.db');
      await (await open(path)).close();
      // Root may write everywhere, so as root the child runs as somebody else.
      const isRoot = process.getuid?.() === 0;
      if (isRoot) await Promise.all([folder(), path].map(each => chown(each, NOBODY, NOBODY)));
      await chmod(what === 'file' ? path : folder(), mode);
      const answer = await askAsNobody({ what: 'open', options: { kind: 'sqlite', path } }, isRoot);
      await chmod(folder(), 0o700);
      assert.ok('code' in answer, 'it was opened');
      assert.equal(answer.code, 'REPOSITORY');
      assert.match(answer.message, /write access|may write to/);
    });
  }

  async function askAsNobody(order: Order, isRoot: boolean): Promise<Answer> {
    const ids = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    const child = fork(join(__dirname, 'child.ts'), { execArgv: ['--require', 'tsx/cjs'], ...ids });
    child.send(order);
    const [answer] = (await once(child, 'message')) as [Answer];
    return answer;
  }

  it('is a folder of the user’s own where it is made', async () => {
    const path = join(folder(), 'certdesk', 'deep', 'repository.db');
    await (await open(path)).close();
    assert.equal((await stat(join(folder(), 'certdesk'))).mode & 0o777, 0o700);
  });

  it('is an error after it was closed, and recording then is harmless', async () => {
    const repository = await open(join(folder(), 'repository.db'));
    await repository.close();
    repository.record(sampleReport());
    await assert.rejects(repository.endpoints(), isError('REPOSITORY', /closed/));
    await repository.close();
  });
});

describe('writes that fail', () => {
  const folder = useFolder();

  /** A repository whose every write of a sighting fails until `mend` is called. */
  async function openBroken() {
    const path = join(folder(), 'repository.db');
    const repository = await openRepository({ kind: 'sqlite', path });
    const other = new Database(path);
    other.exec("create trigger broken before insert on sighting begin select raise(abort, 'no luck'); end");
    return {
      repository,
      mend: () => {
        other.exec('drop trigger broken');
        other.close();
      },
    };
  }

  it('are told by the next flush and read, and nothing recorded is lost', async () => {
    const { repository, mend } = await openBroken();
    for (let port = 1; port <= 120; port++) repository.record(sampleReport({ port }));
    await assert.rejects(repository.flush(), isError('REPOSITORY', /no luck/));
    await assert.rejects(repository.endpoints(), isError('REPOSITORY', /no luck/));
    repository.record(sampleReport({ port: 121 }));
    mend();
    assert.equal((await repository.endpoints()).length, 121);
    await repository.close();
  });

  it('leave out the one report that the database refuses beside others that it takes', async () => {
    const path = join(folder(), 'repository.db');
    const repository = await openRepository({ kind: 'sqlite', path });
    const other = new Database(path);
    other.exec(
      "create trigger picky before insert on endpoint when new.port = 7 begin select raise(abort, 'no 7'); end",
    );
    other.close();
    for (let port = 1; port <= 20; port++) repository.record(sampleReport({ port }));
    await assert.rejects(repository.flush(), isError('REPOSITORY', /no 7/));
    const ports = (await repository.endpoints()).map(known => known.endpoint.port);
    assert.deepEqual([ports.length, ports.includes(7)], [19, false]);
    await repository.close();
  });

  it('leave the run open, so that its end can be told again', async () => {
    const { repository, mend } = await openBroken();
    const told: string[] = [];
    repository.onRunEnded(summary => told.push(summary.runId));
    repository.record(sampleReport());
    await assert.rejects(repository.endRun(sampleSummary('run-1')), isError('REPOSITORY'));
    assert.deepEqual(told, []);
    mend();
    await repository.endRun(sampleSummary('run-1'));
    assert.deepEqual(told, ['run-1']);
    await repository.close();
  });

  it('stop nobody when nobody waits for them', async () => {
    const { repository, mend } = await openBroken();
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    repository.record(sampleReport());
    await repository.saveWork(sampleWork('w1'));
    await assert.rejects(repository.flush());
    await new Promise(resolve => setImmediate(resolve));
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
    mend();
    await repository.close();
  });

  it('wait while another connection writes', async () => {
    const path = join(folder(), 'repository.db');
    const repository = await openRepository({ kind: 'sqlite', path });
    const other = new Database(path);
    other.exec('begin immediate');
    const saved = repository.saveWork(sampleWork('w1'));
    repository.record(sampleReport());
    assert.deepEqual(await repository.work('local'), [], 'reading does not wait');
    setTimeout(() => other.exec('commit'), 100);
    await saved;
    assert.equal((await repository.endpoints()).length, 1);
    other.close();
    await repository.close();
  });
});

onEveryProduct('reports that are none', product => {
  const place = usePlace(product);

  for (const [what, spoil] of [
    ['a STARTTLS that is an object', { starttls: {} }],
    ['a port that is no number', { port: Number.NaN }],
    ['a name that is a list', { domain: ['x'] }],
    ['an address that is true', { ip: true }],
  ] as [string, object][]) {
    it(`are left out, such as one with ${what}; said once, and all others are written`, async () => {
      const repository = await openRepository(place());
      const sound = sampleReport();
      repository.record({ ...sound, endpoint: { ...sound.endpoint, name: 'spoilt:1', ...spoil } });
      for (let port = 1; port <= 60; port++) repository.record(sampleReport({ port }));
      await assert.rejects(repository.flush(), isError('REPOSITORY', /wrong type/));
      assert.equal((await repository.endpoints()).length, 60);
      await repository.close();
    });
  }

  it('are left out, such as one that is no JSON, also when it is the only one', async () => {
    const repository = await openRepository(place());
    const ciphers = [{ id: 10n }] as unknown as EndpointReport['ciphers'];
    repository.record(sampleReport({ ciphers }));
    await assert.rejects(repository.flush(), isError('REPOSITORY', /BigInt/));
    await repository.flush();
    assert.deepEqual(await repository.endpoints(), []);
    await repository.close();
  });
});
