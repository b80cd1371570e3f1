import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openRepository, type RepositoryOptions } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { FaultProxy, type Passage, type Rates, type Stage } from '../lab/fault-proxy';
import { compare, type Wrong } from './compare';
import type { Report } from './flow-nodes';
import type { ChaosHelpdesk } from './helpdesk';
import type { Sending } from './model';
import { NodeRed, type RepositorySettings } from './node-red';
import { Random } from './random';
import { writeScript, type Script, type ScriptRun } from './script';

/** How often the driver looks whether something is over. */
const LOOK_MS = 100;
/** So long an aimed kill waits for a change while nothing at all is asked; a killed one's claims last ten seconds. */
const QUIET_MS = 30_000;

export interface ChaosOptions {
  helpdesk: ChaosHelpdesk;
  seed: number;
  keys: number;
  runs: number;
  kills: number;
  /** Of the kills: made just when a change has been sent whose answer or read-back is not there yet. */
  aimedKills: number;
  rates: Rates;
  /** What the ticket nodes are told of the helpdesk; what is delayed arrives within it. */
  settleMs: number;
  /** Of a request in the proxy; less than `settleMs` by what the helpdesk itself takes. */
  maxDelayMs: number;
  /** Node-REDs that share the repository; one in SQLite by default. */
  instances?: number;
  repository?: RepositorySettings & { options: RepositoryOptions };
  /** Longest time for one run, in milliseconds. */
  runLimitMs: number;
  log: (line: string) => void;
}

export interface Kill {
  run: number;
  atMs: number;
  /** What was on its way; null at a random moment. */
  passage: { number: number; request: string; stage: Stage } | null;
  /** Sent to the helpdesk, and unanswered or not read back when the kill came. */
  isBetween: boolean;
}

export interface ChaosResult {
  script: Script;
  wrong: Wrong[];
  kills: Kill[];
  tickets: number;
  /** Errors that Catch nodes got. */
  raised: string[];
  /** Requests that arrived later than the settle time allows: the test's own fault. */
  overdue: number;
  requests: number;
  resent: number;
  seconds: number;
}

/** Sends a script through Node-REDs that are killed and a proxy that loses things, and looks what has come of it. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'certdesk-chaos-repository-'));
  const path = join(folder, 'repository.db');
  const repository = options.repository ?? { properties: { path }, options: { kind: 'sqlite', path } };
  const random = new Random(options.seed);
  const { helpdesk, rates, maxDelayMs } = options;
  const proxy = await FaultProxy.start({
    ...{ target: helpdesk.connection.url, rates, maxDelayMs, retryAfterS: 1, random: () => random.next() },
    ...(helpdesk.headers === undefined ? {} : { headers: helpdesk.headers }),
  });
  const driver = new Driver(options, proxy, new Random(options.seed + 1));
  try {
    await driver.open(repository);
    return await driver.run();
  } finally {
    await driver.close();
    await proxy.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

class Driver {
  private readonly script: Script;
  private readonly instances: NodeRed[] = [];
  private readonly startedAt = performance.now();
  private readonly kills: Kill[] = [];
  private readonly raised: string[] = [];
  /** Sent, and without a done() so far; by the id that the message carries. */
  private readonly pending = new Map<string, Sending>();
  private readonly hurriedAt = new Map<string, number>();
  private repository: Repository | null = null;
  private resent = 0;
  private runNumber = 0;

  constructor(
    private readonly options: ChaosOptions,
    private readonly proxy: FaultProxy,
    private readonly random: Random,
  ) {
    const { keys, runs, seed } = options;
    const name = `cd-${seed.toString(36)}-${Date.now().toString(36)}`;
    this.script = writeScript({ name, keys, runs, random: new Random(seed + 2) });
  }

  async open(repository: RepositorySettings & { options: RepositoryOptions }): Promise<void> {
    const { helpdesk, settleMs, instances = 1 } = this.options;
    const connection = { ...helpdesk.connection, url: this.proxy.url };
    for (let number = 0; number < instances; number++) {
      const onReport = (report: Exclude<Report, { event: 'up' }>): void => this.hear(report);
      const nodeRed = await NodeRed.make({ connection, repository, settleMs, onReport });
      this.instances.push(nodeRed);
      await nodeRed.start();
    }
    this.repository = await openRepository(repository.options);
  }

  async close(): Promise<void> {
    for (const instance of this.instances) await instance.remove();
    await this.repository?.close();
  }

  async run(): Promise<ChaosResult> {
    const { helpdesk, runs, log } = this.options;
    const aims = this.planKills();
    for (const [index, run] of this.script.runs.entries()) {
      this.runNumber = index + 1;
      const startedAt = performance.now();
      await this.pass(run, aims[index] ?? [], index === runs - 1);
      await this.byHand(run);
      log(
        `run ${index + 1}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s, ${this.proxy.log.length} requests`,
      );
    }
    const seen = await helpdesk.tickets(nameOf(this.script));
    return {
      ...{ script: this.script, kills: this.kills, raised: this.raised, resent: this.resent },
      wrong: compare(this.script, seen, this.proxy.log),
      tickets: seen.length,
      overdue: this.proxy.log.filter(passage => this.isOverdue(passage)).length,
      requests: this.proxy.log.length,
      seconds: (performance.now() - this.startedAt) / 1000,
    };
  }

  /** For each run whether its kills are aimed. Two come after one another, so that the second meets a desk at its start. */
  private planKills(): boolean[][] {
    const { runs, kills, aimedKills } = this.options;
    const aims = this.random.shuffle(Array.from({ length: kills }, (_, index) => index < aimedKills));
    return Array.from({ length: runs }, (_, index) => {
      const until = (run: number): number => 2 * Math.round((run * kills) / 2 / runs);
      return aims.slice(until(index), until(index + 1));
    });
  }

  /** One run, from its first Finding to when nothing waits any more. */
  private async pass(run: ScriptRun, aims: readonly boolean[], isLast: boolean): Promise<void> {
    const limit = performance.now() + this.options.runLimitMs;
    for (const sending of run.sendings) this.pending.set(idOf(sending), sending);
    this.send(this.pending.keys());
    const killing = this.killAll(aims);
    let isKilling = true;
    const isKilled = (): void => void (isKilling = false);
    killing.then(isKilled, isKilled);
    while (isKilling || this.pending.size > 0 || (await this.hurry()) > 0) {
      if (performance.now() > limit) throw new Error(await this.describeStuck());
      if (!isKilling && isLast && this.pending.size === 0) this.proxy.setClean(true);
      await delay(LOOK_MS);
    }
    await killing;
    await this.proxy.idle();
  }

  private async byHand({ byHand }: ScriptRun): Promise<void> {
    if (byHand.length === 0) return;
    const { helpdesk } = this.options;
    const tickets = await helpdesk.tickets(nameOf(this.script));
    for (const { key, status } of byHand) {
      // A person who sees two of them closes both.
      for (const { id } of tickets.filter(ticket => ticket.key === key)) await helpdesk.setStatus(id, status);
    }
  }

  private async killAll(aims: readonly boolean[]): Promise<void> {
    for (const isAimed of aims) {
      if (isAimed) await this.killAt(this.random.pick(['received', 'answered'] as const));
      else await this.killAfter(1 + this.random.below(this.options.keys));
      // What is sent to who is not there would be lost anyway.
      for (const instance of this.instances) if (!instance.isUp) await instance.start();
      this.sendAgain();
    }
  }

  /** At a random moment: after so many requests more, or when nothing more comes. */
  private async killAfter(requests: number): Promise<void> {
    const { log } = this.proxy;
    const until = log.length + requests;
    for (let looks = 0, last = log.length; log.length < until && looks < 20; looks += 1) {
      if (log.length > last) looks = 0;
      last = log.length;
      await delay(20);
    }
    const between = log.filter(passage => isChange(passage) && passage.repliedAt === null && passage.lostAt === null);
    await this.random.pick(this.instances).kill();
    this.note(
      null,
      between.some(passage => passage.forwardedAt !== null),
    );
  }

  /** Just when a change is on its way; when none comes, at a moment like any other. */
  private async killAt(stage: Stage): Promise<void> {
    let isSprung = false;
    const { maxDelayMs } = this.options;
    const sprung = new Promise<void>((resolve, reject) => {
      const giveUp = this.proxy.ambush(stage, isChangeUnharmed, async passage => {
        isSprung = true;
        const { number, method, path } = passage;
        await Promise.all(this.instances.map(instance => instance.kill()));
        this.note({ number, request: `${method} ${path}`, stage }, true);
        resolve();
        // What is held here arrives when its sender is long gone, and perhaps back.
        if (stage === 'received') await delay(this.random.next() * maxDelayMs);
      });
      void this.untilQuiet(() => isSprung).then(() => {
        giveUp();
        if (!isSprung) resolve();
      }, reject);
    });
    await sprung;
    if (!isSprung) await this.killAfter(1);
  }

  /** Until nothing has been asked for long, everything is accepted, or it is over. */
  private async untilQuiet(isOver: () => boolean): Promise<void> {
    const { log } = this.proxy;
    let quietSince = performance.now();
    let last = log.length;
    while (!isOver() && this.pending.size > 0 && performance.now() - quietSince < QUIET_MS) {
      if (log.length > last) quietSince = performance.now();
      last = log.length;
      await delay(20);
    }
  }

  private note(passage: Kill['passage'], isBetween: boolean): void {
    const kill: Kill = { run: this.runNumber, atMs: this.proxy.now(), passage, isBetween };
    this.kills.push(kill);
    const what =
      passage === null ? 'at a random moment' : `with #${passage.number} ${passage.request} ${passage.stage}`;
    const where = isBetween ? ', a change sent and not read back' : '';
    this.options.log(`kill ${this.kills.length}: run ${kill.run}, ${(kill.atMs / 1000).toFixed(2)} s, ${what}${where}`);
  }

  /** What got no done(). */
  private sendAgain(): void {
    this.resent += this.pending.size;
    this.send(this.pending.keys());
  }

  private send(ids: Iterable<string>): void {
    for (const id of ids) {
      const sending = this.pending.get(id);
      if (sending === undefined) continue;
      const { finding, isStanding } = sending;
      const reason = isStanding ? 'standing' : 'due';
      const notification = { reason, threshold: null, count: 1, lastAt: null };
      const message = { _msgid: id, chaos: id, key: finding.key, notification, payload: finding };
      // Now and then the same message comes twice; of two instances, at times to each.
      for (let left = this.random.chance(0.1) ? 2 : 1; left > 0; left--) {
        this.random.pick(this.instances).send({ to: finding.kind, message });
      }
    }
  }

  private hear(report: Exclude<Report, { event: 'up' }>): void {
    if (report.event === 'done') this.pending.delete(report.id);
    if (report.event !== 'error') return;
    this.raised.push(`${report.key} ${report.code ?? ''}: ${report.text ?? ''}`);
    setTimeout(() => this.send([report.id]), 1_000).unref();
  }

  /** Asks that what waits be tried again at once, not in a quarter of an hour; how much waits. */
  private async hurry(): Promise<number> {
    const works = (await this.repository?.work()) ?? [];
    const now = performance.now();
    for (const { key } of works) {
      if (now - (this.hurriedAt.get(key) ?? 0) < this.options.settleMs / 2) continue;
      this.hurriedAt.set(key, now);
      for (const instance of this.instances) void instance.retry(key);
    }
    return works.length;
  }

  private isOverdue({ receivedAt, answeredAt }: Passage): boolean {
    return answeredAt !== null && answeredAt - receivedAt > this.options.settleMs;
  }

  private async describeStuck(): Promise<string> {
    const works = (await this.repository?.work()) ?? [];
    const waiting = works.map(({ key, state, error, attempts }) => `${key} ${state} ${attempts} ${error.message}`);
    return [
      `run ${this.runNumber} does not end: ${this.pending.size} without done(), ${works.length} waiting`,
      ...waiting.slice(0, 5),
      ...[...this.pending.keys()].slice(0, 5),
      ...this.instances.map(instance => instance.output.slice(-2_000)),
    ].join('\n');
  }
}

function idOf({ finding }: Sending): string {
  return `${finding.runId} ${finding.key}`;
}

/** What all keys of a script start with. */
function nameOf({ keys }: Script): string {
  return (keys[0] ?? '').replace(/-\d+$/, '');
}

/** Something that changes a ticket or makes one; searches are posted as well. */
export function isChange({ method, path }: Passage): boolean {
  return method === 'PUT' || (method === 'POST' && !/\/tickets(\?|$)/.test(path));
}

function isChangeUnharmed(passage: Passage): boolean {
  return isChange(passage) && (passage.fault === null || passage.fault.endsWith('-after'));
}
