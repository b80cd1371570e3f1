import { writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { scanEndpoint } from '../../lib/scan/scanner';
import { serve } from '../../lib/scan/serve';

/** The name of a file, posted here, gets the profile of what the thread did so far. */
export const PROFILE_CHANNEL = 'certdesk-bench-profile';

if (!isMainThread) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 250 });
  session.post('Profiler.start');
  const channel = new BroadcastChannel(PROFILE_CHANNEL);
  channel.onmessage = message => {
    const file = String((message as { data: unknown }).data);
    session.post('Profiler.stop', (error, result) => {
      if (error === null) writeFileSync(file, JSON.stringify(result.profile satisfies Profiler.Profile));
      channel.postMessage('written');
    });
  };
  channel.unref();
  serve(scanEndpoint); // as lib/scan/worker.ts does
}
