import assert from 'node:assert/strict';
import { makeEndpoint } from '../../lib/model/endpoint';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';
import { makeTaskHandler, type ScanTask } from '../../lib/scan/task-handler';
import { makeUnreachable } from '../../lib/scan/unreachable';

describe('a worker thread', () => {
  const endpoint = makeEndpoint({ domain: null, ip: '192.0.2.1', port: 443, starttls: null });

  function task(runId: string, isStopped = false): ScanTask {
    const stopped = new Int32Array(new SharedArrayBuffer(4));
    if (isStopped) stopped[0] = 1;
    return { runId, endpoint, connections: 1, settings: { ...DEFAULT_SCAN_SETTINGS }, stopped };
  }

  it('does not begin a task whose run was stopped while it was on its way', async () => {
    let begun = 0;
    const handler = makeTaskHandler(() => {
      begun += 1;
      return Promise.reject(new Error('begun'));
    });
    assert.equal(await handler.run(task('a', true)), null);
    assert.equal(begun, 0);
  });

  it('stops all endpoints of a run, and no others', async () => {
    const heard: string[] = [];
    const handler = makeTaskHandler(async (at, settings, { runId, signal }) => {
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      heard.push(runId);
      return makeUnreachable(at, 'tcp', 'STOPPED', { runId, settings, scannedAt: '' });
    });
    const ours = [handler.run(task('task-handler-ours')), handler.run(task('task-handler-ours'))];
    const other = handler.run(task('task-handler-other'));
    handler.stop('task-handler-ours');
    await Promise.all(ours);
    assert.deepEqual(heard, ['task-handler-ours', 'task-handler-ours']);
    handler.stop('task-handler-other');
    await other;
  });

  it('gives all endpoints of a run the same settings object while the run is under way', async () => {
    const given: ScanSettings[] = [];
    const answers: (() => void)[] = [];
    const handler = makeTaskHandler(async (at, settings, { runId }) => {
      given.push(settings);
      await new Promise<void>(resolve => answers.push(resolve));
      return makeUnreachable(at, 'tcp', 'TIMEOUT', { runId, settings, scannedAt: '' });
    });
    const tasks = [handler.run(task('a')), handler.run(task('a')), handler.run(task('b'))];
    answers.forEach(answer => answer());
    await Promise.all(tasks);
    assert.equal(given[0], given[1]);
    assert.notEqual(given[0], given[2]);
  });
});
