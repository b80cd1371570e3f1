import { parentPort } from 'node:worker_threads';
import { makeTaskHandler, type ScanEndpoint, type ScanTask } from './task-handler';

/** What the main thread sends: tasks of one turn of its event loop, or a run to stop. */
export type ToWorker = { tasks: readonly (ScanTask & { id: number })[] } | { stop: string };

/** What became of a task: an EndpointReport as JSON (null as in `TaskHandler`), or the fault that ended it. */
export type Answer = { id: number; json: string } | { id: number; fault: string };

/** Answers wait so long for others, since waking the main thread costs more than writing a report. */
const COLLECT_MS = 5;
const MAX_COLLECTED = 32;

/**
 * The other side of `Thread`: looks at endpoints with `scan`, and sends reports in batches. JSON takes a third of the time
 * of a structured clone, on both sides. An empty batch says that the thread could start.
 */
export function serve(scan: ScanEndpoint): void {
  const port = parentPort;
  if (port === null) throw new Error('This module is the entry of a worker thread.');
  const handler = makeTaskHandler(scan);
  let answers: Answer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    port.postMessage(answers);
    answers = [];
  };
  const answer = (one: Answer): void => {
    answers.push(one);
    if (answers.length === 1) timer = setTimeout(flush, COLLECT_MS);
    if (answers.length === MAX_COLLECTED) flush();
  };
  process.on('exit', flush); // also after an uncaught exception: what is finished gets out
  flush();
  port.on('message', (message: ToWorker) => {
    if ('stop' in message) return handler.stop(message.stop);
    for (const task of message.tasks) {
      const { id } = task;
      handler.run(task).then(
        report => answer({ id, json: JSON.stringify(report) }),
        (error: unknown) => answer({ id, fault: String(error) }),
      );
    }
  });
}
