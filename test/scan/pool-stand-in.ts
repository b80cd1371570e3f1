import { threadId } from 'node:worker_threads';
import { serve } from '../../lib/scan/serve';
import { makeUnreachable } from '../../lib/scan/unreachable';

/**
 * A worker whose scanner opens no connection: what it does is the first label of the endpoint's name. It answers
 * `unreachable` with a reason that tells what happened.
 */
serve(async (endpoint, settings, { runId, connections, signal }) => {
  const answer = (reason: string): ReturnType<typeof makeUnreachable> =>
    makeUnreachable(endpoint, 'tcp', reason, { runId, settings, scannedAt: new Date(0).toISOString(), connections });
  switch (endpoint.domain?.split('.')[0] ?? '') {
    case 'hang':
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      return answer('HEARD_STOP');
    case 'deaf':
      return new Promise(() => {});
    case 'late':
      await new Promise(resolve => setTimeout(resolve, 50));
      return answer('ANSWERED');
    case 'where':
      return answer(`THREAD_${threadId}`);
    case 'throw':
      throw new Error('a fault in the scanner');
    case 'die':
      return process.exit(7);
    case 'crash':
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
      return new Promise(() => {});
    default:
      return answer('ANSWERED');
  }
});
