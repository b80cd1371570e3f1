import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Of starting, and of an answer afterwards. */
const ANSWER_TIMEOUT_MS = 10_000;

/** A server of the lab in a process of its own, which prints its port and counts its connections. */
export interface TalkingServer {
  readonly host: string;
  readonly port: number;
  /** TCP connections that it has accepted so far, by its own count. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The server that `child` is once it has printed `port N`; `connections N` answers a line. Throws with what it wrote when
 * it does not come up. `cleanUp` is called when it has ended.
 */
export async function talkingServer(
  child: ChildProcessWithoutNullStreams,
  name: string,
  cleanUp: () => Promise<void>,
): Promise<TalkingServer> {
  const talk = new Talk(child);
  const close = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await cleanUp();
  };
  try {
    const port = await talk.next('port');
    return { host: '127.0.0.1', port, connections: () => talk.ask('connections'), close };
  } catch (error) {
    await close();
    throw new Error(`${name} did not come up: ${String(error)}`, { cause: error });
  }
}

/** Lines of a word and a number from a child's stdout. */
class Talk {
  #errors = '';
  readonly #waiting: { word: string; take: (value: number) => void }[] = [];

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stderr.on('data', (chunk: Buffer) => (this.#errors = `${this.#errors}${String(chunk)}`.slice(-2000)));
    child.stdin.on('error', () => {}); // it may have ended
    createInterface(child.stdout).on('line', line => {
      const [word, value] = line.split(' ');
      if (word === this.#waiting[0]?.word) this.#waiting.shift()?.take(Number(value));
    });
  }

  ask(word: string): Promise<number> {
    const answer = this.next(word);
    this.child.stdin.write('\n');
    return answer;
  }

  next(word: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why} ${this.#errors}`));
      const onEnd = (): void => fail('it ended');
      const timer = setTimeout(() => fail(`it did not answer in ${ANSWER_TIMEOUT_MS} ms`), ANSWER_TIMEOUT_MS);
      this.child.once('close', onEnd);
      this.child.once('error', onEnd);
      this.#waiting.push({
        word,
        take: value => {
          clearTimeout(timer);
          this.child.off('close', onEnd).off('error', onEnd);
          resolve(value);
        },
      });
    });
  }
}
