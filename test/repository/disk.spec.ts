import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'libsql';
import { CertDeskError } from '../../lib/model/errors';
import { migrate } from '../../lib/repository/migrate';
import { openRepository } from '../../lib/repository/open';
import { openSqlite } from '../../lib/repository/sqlite';
import { Store } from '../../lib/repository/store';
import { skip } from '../support/skip';
import { sampleReport, sampleWork, useFolder } from './samples';

const run = promisify(execFile);

describe('a disk that is full', function () {
  this.timeout(60_000);
  let disk: string;

  beforeEach(async function () {
    disk = await mkdtemp(join(tmpdir(), 'certdesk-small-disk-'));
    const mounting = run('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', disk]);
    await mounting.catch(() => skip(this, 'A full disk needs the right to mount a small tmpfs'));
  });
  afterEach(async () => {
    await run('umount', ['--lazy', disk]).catch(() => undefined);
    await rm(disk, { recursive: true, force: true });
  });

  /** Leaves no room at all. */
  async function fill(): Promise<void> {
    const { bavail, bsize } = await statfs(disk);
    await writeFile(join(disk, 'filler'), Buffer.alloc(bavail * bsize)).catch(() => undefined);
  }
  const isFull = (error: unknown): boolean =>
    error instanceof CertDeskError && error.code === 'REPOSITORY' && /disk is full.*Make room/.test(error.message);

  it('is told, keeps what was accepted, and writes what waits when there is room again', async () => {
    const options = { kind: 'sqlite', path: join(disk, 'repository.db') } as const;
    const repository = await openRepository(options);
    const accepted: string[] = [];
    await fill();
    await assert.rejects(async () => {
      for (let index = 0; index < 2_000; index++) {
        await repository.saveWork(sampleWork(`w${index}`));
        accepted.push(`w${index}`);
      }
    }, isFull);
    for (let port = 1; port <= 60; port++) repository.record(sampleReport({ port }));
    await assert.rejects(repository.flush(), isFull);
    assert.equal((await repository.work()).length, accepted.length, 'reading goes on');

    await rm(join(disk, 'filler'));
    assert.equal((await repository.endpoints()).length, 60);
    await repository.saveWork(sampleWork('late'));
    await repository.close();

    const again = await openRepository(options);
    const ids = (await again.work()).map(work => work.id);
    assert.deepEqual(ids.sort(), [...accepted, 'late'].sort());
    assert.equal((await again.endpoints()).length, 60);
    await again.close();
  });

  it('is told at the opening of a new repository', async () => {
    await fill();
    await assert.rejects(
      openRepository({ kind: 'sqlite', path: join(disk, 'new', 'repository.db') }),
      (error: unknown) => {
        assert.ok(error instanceof CertDeskError);
        assert.equal(error.code, 'REPOSITORY');
        assert.match(error.message, /disk is full|disk reports an error|cannot be opened/);
        return true;
      },
    );
  });
});

describe('a file that another process keeps locked', () => {
  const folder = useFolder();

  it('is told after a while, and what was recorded is written when it lets go', async () => {
    const path = join(folder(), 'repository.db');
    const store = new Store(await openSqlite(path), 100);
    await store.prepare(migrate);
    const other = new Database(path);
    other.exec('begin immediate');
    const write = (): Promise<unknown> =>
      store.write(trx => trx.insertInto('counter').values({ name: 'a', value: 1 }).execute());
    await assert.rejects(write(), (error: unknown) => {
      assert.ok(error instanceof CertDeskError);
      assert.equal(error.code, 'REPOSITORY');
      assert.match(error.message, /Another process keeps it locked.*End what else/);
      return true;
    });
    other.exec('rollback');
    other.close();
    await write();
    await store.close();
  });
});
