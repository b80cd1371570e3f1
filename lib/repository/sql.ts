import type { Certificate } from '../model/certificate';
import type { Finding } from '../model/finding';
import type { EndpointReport, RunSummary } from '../model/report';
import type { TicketRecord } from '../model/ticket';
import { Certificates } from './certificates';
import { exportLines, restoreLines } from './export';
import { Findings } from './findings';
import { SqlLocalTickets } from './local-tickets';
import { Notices } from './notices';
import { Pages } from './pages';
import { prune } from './prune';
import type {
  CarriedNotice,
  Claim,
  Conclusion,
  KnownEndpoint,
  KnownFinding,
  LocalTickets,
  Notice,
  PageQuery,
  Repository,
  Work,
} from './repository';
import { Runs } from './runs';
import { Sightings } from './sightings';
import type { Store } from './store';
import { Tickets } from './tickets';
import { WorkList } from './work';

/** The repository in a SQL database: one room each for what is kept. */
export class SqlRepository implements Repository {
  readonly localTickets: LocalTickets;
  readonly #store: Store;
  readonly #runs: Runs;
  readonly #sightings: Sightings;
  readonly #certificates: Certificates;
  readonly #findings: Findings;
  readonly #notices: Notices;
  readonly #tickets: Tickets;
  readonly #work: WorkList;
  readonly #pages: Pages;
  readonly #now: () => Date;

  constructor(store: Store, now: () => Date) {
    this.#store = store;
    this.#now = now;
    this.#runs = new Runs(store);
    this.#sightings = new Sightings(store);
    this.#certificates = new Certificates(store);
    this.#findings = new Findings(store);
    this.#notices = new Notices(store);
    this.#tickets = new Tickets(store, now);
    this.#work = new WorkList(store);
    this.#pages = new Pages(store, this.#sightings, now);
    this.localTickets = new SqlLocalTickets(store);
  }

  beginRun(run: { runId: string; startedAt: string; forced: boolean }): Promise<void> {
    return this.#runs.begin(run);
  }
  async endRun(summary: RunSummary): Promise<void> {
    await this.#sightings.flush();
    await this.#runs.end(summary);
  }
  runSummary(runId: string): Promise<RunSummary | null> {
    return this.#runs.summary(runId);
  }
  onRunEnded(listener: (summary: RunSummary) => void): () => void {
    return this.#runs.onEnded(listener);
  }

  record(report: EndpointReport): void {
    this.#sightings.record(report);
  }
  flush(): Promise<void> {
    return this.#sightings.flush();
  }
  endpoints(by: { names?: string[]; places?: string[]; fingerprints?: string[] } = {}): Promise<KnownEndpoint[]> {
    return this.#sightings.endpoints(by);
  }
  async certificates(fingerprints: string[]): Promise<Map<string, Certificate>> {
    await this.#sightings.flush();
    return this.#certificates.byFingerprint(fingerprints);
  }
  async ambiguousCertificates(fingerprints: string[]): Promise<Set<string>> {
    await this.#sightings.flush();
    return this.#certificates.ambiguous(fingerprints);
  }

  findings(by: { kind: Finding['kind']; places?: string[]; keys?: string[] }): Promise<KnownFinding[]> {
    return this.#findings.find(by);
  }
  saveFindings(findings: KnownFinding[]): Promise<void> {
    return this.#findings.save(findings);
  }

  notices(memory: string, keys: string[]): Promise<Map<string, Notice>> {
    return this.#notices.find(memory, keys);
  }
  saveNotices(memory: string, notices: Notice[]): Promise<void> {
    return this.#notices.save(memory, notices);
  }
  retired(memory: string): Promise<Set<string>> {
    return this.#notices.retired(memory);
  }
  setRetired(memory: string, keyOrPlace: string, isRetired: boolean): Promise<void> {
    return this.#notices.setRetired(memory, keyOrPlace, isRetired);
  }

  ticket(desk: string, key: string): Promise<TicketRecord | null> {
    return this.#tickets.find(desk, key);
  }
  saveTicket(desk: string, record: TicketRecord): Promise<void> {
    return this.#tickets.save(desk, record);
  }
  openTicketIds(desk: string): Promise<string[]> {
    return this.#tickets.openIds(desk);
  }
  claim(claim: Claim): Promise<boolean> {
    return this.#tickets.claim(claim);
  }
  releaseClaim(desk: string, key: string, owner: string): Promise<void> {
    return this.#tickets.releaseClaim(desk, key, owner);
  }
  carried(desk: string, notice: CarriedNotice): Promise<TicketRecord | null> {
    return this.#tickets.carried(desk, notice);
  }
  begin(work: Work, replaces: readonly string[], claim: Claim): Promise<boolean> {
    return this.#tickets.begin(work, replaces, claim);
  }
  conclude(desk: string, conclusion: Conclusion): Promise<void> {
    return this.#tickets.conclude(desk, conclusion);
  }

  saveWork(work: Work): Promise<void> {
    return this.#work.save(work);
  }
  changeWork(was: Work, work: Work): Promise<boolean> {
    return this.#work.change(was, work);
  }
  removeWork(id: string): Promise<void> {
    return this.#work.remove(id);
  }
  work(desk?: string, key?: string): Promise<Work[]> {
    return this.#work.find(desk, key);
  }

  certificatePage(page: PageQuery) {
    return this.#pages.certificates(page);
  }
  ticketPage(page: PageQuery) {
    return this.#pages.tickets(page);
  }
  runPage(page: PageQuery) {
    return this.#pages.runs(page);
  }

  async prune(days: number, now: Date): Promise<void> {
    await this.#sightings.flush();
    await prune(this.#store, days, now);
  }
  async *export(): AsyncGenerator<string> {
    await this.#sightings.flush();
    yield* exportLines(this.#store, this.#now());
  }
  restore(lines: AsyncIterable<string>): Promise<number> {
    return restoreLines(this.#store, lines);
  }
  async close(): Promise<void> {
    try {
      await this.#sightings.close();
    } finally {
      await this.#store.close();
    }
  }
}
