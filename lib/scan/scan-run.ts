import { placeOf, type Endpoint } from '../model/endpoint';
import { failureReason, type EndpointReport, type RunSummary } from '../model/report';
import { Outbox } from './outbox';
import type { Scan, ScanCallbacks, ScanSettings } from './settings';
import { Slots, type Grant } from './slots';
import type { TargetList } from './targets/parse';
import type { PlaceEndpoints } from './targets/places';
import { resolveTargets, type ResolveOptions } from './targets/resolve';
import type { Threads } from './threads';
import { makeUnreachable, type UnreachableContext } from './unreachable';

export interface ScanJob {
  runId: string;
  targets: TargetList;
  settings: ScanSettings;
  forced: boolean;
}

/** What a scan works with; tests bring their own. */
export interface ScanServices {
  threads: Threads;
  /** Default: the system's. */
  lookupAll?: ResolveOptions['lookupAll'];
}

type Summary = Omit<RunSummary, 'vulnerable'>;

/** How long a stopped run waits for its threads to close their connections; the promise is one second. */
const STOP_GRACE_MS = 600;
/** Places of a long list are made as they can be used; long stretches of excluded ones in pieces. */
const PLACES_PER_TURN = 1_000;
/** Reports that wait to be handed over; more are not made before. */
const MAX_UNTOLD = 1_000;

/** One scan on the main thread: resolves, makes endpoints, lets endpoints start as slots allow, hands reports over, counts. */
export class ScanRun implements Scan {
  readonly runId: string;
  readonly finished: Promise<Summary>;
  private readonly slots: Slots;
  private readonly outbox: Outbox<EndpointReport>;
  private readonly inFlight = new Map<Endpoint, Grant>();
  /** All endpoints of places of which none was begun. */
  private readonly unbegun = new Map<string, Endpoint[]>();
  private places: Iterator<PlaceEndpoints> | null = null;
  private isResolved = false;
  private isTurnPlanned = false;
  private readonly stopping = new AbortController();
  private readonly stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  private readonly summary: Summary;
  /** How many reports there will be. */
  private expected = 0;
  private told = 0;
  private graceTimer: NodeJS.Timeout | undefined;
  private succeed: (summary: Summary) => void = () => {};
  private fail: (error: unknown) => void = () => {};

  constructor(
    private readonly job: ScanJob,
    private readonly callbacks: ScanCallbacks,
    private readonly services: ScanServices,
  ) {
    const { runId, forced, settings } = job;
    this.runId = runId;
    this.slots = new Slots(settings);
    this.outbox = new Outbox(
      report => this.tell(report),
      error => this.giveUp(error),
    );
    const counts = { endpoints: 0, scanned: 0, partial: 0, unreachable: 0, connections: 0 };
    const startedAt = new Date().toISOString();
    this.summary = { runId, startedAt, finishedAt: '', stopped: false, forced, ...counts, unreachableEndpoints: [] };
    this.finished = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
    this.begin().catch((error: unknown) => this.giveUp(error));
  }

  stop(): void {
    if (this.summary.stopped || this.summary.finishedAt !== '') return;
    this.summary.stopped = true;
    this.stopping.abort();
    Atomics.store(this.stopped, 0, 1);
    this.services.threads.stop(this.runId);
    for (const endpoint of this.slots.drain()) {
      if (!this.unbegun.has(placeOf(endpoint))) this.report(endpoint, 'tcp', 'STOPPED');
    }
    this.graceTimer = setTimeout(() => {
      for (const endpoint of this.inFlight.keys()) this.end(endpoint, 'STOPPED');
    }, STOP_GRACE_MS);
    if (this.isResolved) this.leaveRest();
  }

  /** What was not begun is only counted: to walk through a long list would take longer than a stop may. */
  private leaveRest(): void {
    this.expected = this.told + this.outbox.size + this.inFlight.size;
    this.summary.unreachable += this.summary.endpoints - this.expected;
    if (this.told === this.expected) this.finish();
  }

  private async begin(): Promise<void> {
    const { targets, settings } = this.job;
    const places = await resolveTargets(targets, {
      timeoutMs: settings.timeoutMs,
      signal: this.stopping.signal,
      lookupAll: this.services.lookupAll,
    });
    this.isResolved = true;
    this.summary.endpoints = places.count;
    if (this.summary.stopped) return this.leaveRest();
    this.expected = places.count;
    this.places = places[Symbol.iterator]();
    if (this.expected === 0) this.finish();
    this.proceed();
  }

  /** Makes endpoints while they can be used, and starts what may. */
  private proceed(): void {
    if (this.summary.stopped) return;
    try {
      for (let taken = 0; this.slots.isHungry && this.outbox.size < MAX_UNTOLD; taken += 1) {
        if (taken === PLACES_PER_TURN) {
          this.planTurn();
          break;
        }
        const next = this.places?.next();
        if (next === undefined || next.done === true) break;
        this.take(next.value);
      }
      for (let grant = this.slots.next(); grant !== null; grant = this.slots.next()) this.start(grant);
    } catch (error) {
      this.giveUp(error);
    }
  }

  private planTurn(): void {
    if (this.isTurnPlanned) return;
    this.isTurnPlanned = true;
    setImmediate(() => {
      this.isTurnPlanned = false;
      this.proceed();
    });
  }

  private take({ endpoints, reason }: PlaceEndpoints): void {
    const [first] = endpoints;
    if (first === undefined) return;
    if (reason === null) {
      this.unbegun.set(placeOf(first), endpoints);
      for (const endpoint of endpoints) this.slots.add(endpoint);
    } else {
      this.callbacks.onPlace(endpoints, this.summary.endpoints);
      for (const endpoint of endpoints) this.report(endpoint, 'dns', reason);
    }
  }

  private start(grant: Grant): void {
    const { endpoint, connections } = grant;
    const { runId, settings } = this.job;
    const place = placeOf(endpoint);
    const endpoints = this.unbegun.get(place);
    if (endpoints !== undefined) {
      this.unbegun.delete(place);
      this.callbacks.onPlace(endpoints, this.summary.endpoints);
    }
    this.inFlight.set(endpoint, grant);
    this.services.threads.run({ runId, endpoint, connections, settings, stopped: this.stopped }).then(
      report => {
        if (report !== null && !this.summary.stopped) this.settle(endpoint, () => report);
        // What was in flight tells nothing of the server, however far it came; only what it cost is kept.
        else this.end(endpoint, 'STOPPED', report ?? {});
      },
      () => this.end(endpoint, this.summary.stopped ? 'STOPPED' : 'WORKER_FAILED'),
    );
  }

  private end(endpoint: Endpoint, reason: string, known: Partial<UnreachableContext> = {}): void {
    const { scannedAt, durationMs, connections } = known;
    const context = { ...this.context(), ...(scannedAt === undefined ? {} : { scannedAt, durationMs, connections }) };
    this.settle(endpoint, () => makeUnreachable(endpoint, 'tcp', reason, context));
  }

  /** Frees the endpoint's slots and hands its report over, once: after a stop the thread's answer may come late. */
  private settle(endpoint: Endpoint, make: () => EndpointReport): void {
    const grant = this.inFlight.get(endpoint);
    if (grant === undefined) return;
    this.inFlight.delete(endpoint);
    this.slots.release(grant);
    this.outbox.push(make);
    this.proceed();
  }

  private report(endpoint: Endpoint, stage: 'dns' | 'tcp', reason: string): void {
    this.outbox.push(() => makeUnreachable(endpoint, stage, reason, this.context()));
  }

  private context(): UnreachableContext {
    return { runId: this.runId, settings: this.job.settings, scannedAt: new Date().toISOString() };
  }

  private tell(report: EndpointReport): void {
    const { summary } = this;
    summary[report.status] += 1;
    summary.connections += report.connections;
    if (report.status === 'unreachable') {
      summary.unreachableEndpoints.push({ name: report.endpoint.name, reason: failureReason(report) });
    }
    this.told += 1;
    this.callbacks.onReport(report, this.told === this.expected);
    if (this.told === this.expected) this.finish();
    else this.proceed();
  }

  private finish(): void {
    clearTimeout(this.graceTimer);
    this.summary.finishedAt = new Date().toISOString();
    this.succeed(this.summary);
  }

  /** A callback threw: nobody can be told any more, so nothing more is asked. */
  private giveUp(error: unknown): void {
    this.fail(error);
    this.stop();
  }
}
