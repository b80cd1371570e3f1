import { spawn, type ChildProcess } from 'node:child_process';
import { waitFor } from '../support/wait';

/** `npm start` as a user runs it, in a checkout and on a free port. */
export class Start {
  output = '';
  readonly exited: Promise<number | null>;
  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = new Promise(resolve => child.once('exit', code => resolve(code)));
  }

  static run(root: string, env: Record<string, string> = {}): Start {
    const child = spawn('npm', ['start', '--silent'], {
      cwd: root,
      detached: true, // a process group of its own, to press Ctrl-C in
      env: { ...process.env, PORT: '0', CERTDESK_TARGETS: '', ...env },
    });
    return new Start(child);
  }

  async until(pattern: RegExp, withinMs: number): Promise<RegExpExecArray> {
    await waitFor(
      () => pattern.test(this.output),
      withinMs,
      () => `${pattern} in: ${this.output}`,
    );
    return pattern.exec(this.output) as RegExpExecArray;
  }

  /** Ctrl-C reaches every process of the terminal's group; fails while one of them is left. */
  async ctrlC(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined) return;
    if (isGroupAlive(pid)) process.kill(-pid, 'SIGINT');
    await this.exited;
    await waitFor(
      () => !isGroupAlive(pid),
      5000,
      () => `the end of every process of group ${pid}`,
    );
  }
}

function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
