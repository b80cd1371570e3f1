import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { EndpointReport } from '../model/report';
import type { Answer, ToWorker } from './serve';
import type { ScanTask } from './task-handler';

/**
 * Several times what a thread with a thousand endpoints under way has alive. V8 lets a heap with a high limit grow to
 * four times what is alive before it looks, and one with this limit to less than two.
 */
const MAX_HEAP_MB = 512;

interface Waiting {
  resolve: (report: EndpointReport | null) => void;
  reject: (error: Error) => void;
}

/** A thread ended by itself with the task under way: this task, or another one there, is to blame. */
export class ThreadLost extends Error {}

/** One worker thread. It keeps the process alive only while it has something to do. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #outgoing: (ScanTask & { id: number })[] = [];
  #lastId = 0;
  #hasStarted = false;
  #fault = '';
  #loss: Error | null = null;

  /** `onLost` is called once, when the thread ends, whoever ended it. */
  constructor(
    file: string,
    options: WorkerOptions,
    private readonly onLost: () => void,
  ) {
    this.#worker = new Worker(file, { ...options, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    this.#worker.unref();
    this.#worker.on('message', (answers: readonly Answer[]) => {
      this.#hasStarted = true;
      for (const answer of answers) this.#settle(answer);
    });
    this.#worker.on('error', error => (this.#fault = `: ${String(error)}`));
    // Its last answers come between error and exit.
    this.#worker.on('exit', code => {
      const reason = `The worker thread ended with code ${code}${this.#fault}`;
      this.#lose(this.#hasStarted ? new ThreadLost(reason) : new Error(reason));
    });
  }

  /** Tasks under way. */
  get load(): number {
    return this.#waiting.size;
  }

  /**
   * Null when the run was stopped before the task was begun. Rejects for a fault in the task, with ThreadLost when the
   * thread ended under it, and with another error when it could not start or was closed.
   */
  run(task: ScanTask): Promise<EndpointReport | null> {
    if (this.#loss !== null) return Promise.reject(this.#loss);
    const id = (this.#lastId += 1);
    if (this.#outgoing.push({ ...task, id }) === 1) setImmediate(() => this.#send());
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Stops what it does for a run. */
  stop(runId: string): void {
    this.#send();
    this.#post({ stop: runId });
  }

  /** Ends the thread, whatever it is doing. */
  async close(): Promise<void> {
    this.#lose(new Error('The worker thread was closed.'));
    await this.#worker.terminate();
  }

  #send(): void {
    if (this.#outgoing.length > 0) this.#post({ tasks: this.#outgoing });
    this.#outgoing = [];
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('fault' in answer) waiting?.reject(new Error(answer.fault));
    else waiting?.resolve(JSON.parse(answer.json) as EndpointReport | null);
  }

  #lose(error: Error): void {
    if (this.#loss !== null) return;
    this.#loss = error;
    this.onLost();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
