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

/** One worker thread. It keeps the process alive only while it has something to do. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #outgoing: (ScanTask & { id: number })[] = [];
  #lastId = 0;
  #loss: Error | null = null;

  /** `onLost` is called once, when the thread has ended, whoever ended it. */
  constructor(
    file: string,
    options: WorkerOptions,
    private readonly onLost: () => void,
  ) {
    this.#worker = new Worker(file, { ...options, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    this.#worker.unref();
    this.#worker.on('message', (answers: readonly Answer[]) => answers.forEach(answer => this.#settle(answer)));
    this.#worker.on('error', error => this.#lose(error));
    this.#worker.on('exit', code => this.#lose(new Error(`The worker thread ended with code ${code}.`)));
  }

  /** Tasks under way. */
  get load(): number {
    return this.#waiting.size;
  }

  /** Null when the run was stopped before the task was begun. Rejects when the thread fails. */
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

  #lose(error: unknown): void {
    if (this.#loss !== null) return;
    this.#loss = error instanceof Error ? error : new Error(String(error));
    this.onLost();
    for (const { reject } of this.#waiting.values()) reject(this.#loss);
    this.#waiting.clear();
  }
}
