import type { Certificate } from '../model/certificate';
import type { Endpoint } from '../model/endpoint';
import type { Finding } from '../model/finding';
import type { Check, Cipher, EndpointReport, RunSummary } from '../model/report';
import type { TicketRecord } from '../model/ticket';

/**
 * The memory that all nodes share: certificates, sightings, findings, notices and tickets.
 * Every read sees what was written before it, batched writes included. All failures are CertDeskError `REPOSITORY`,
 * save where it says otherwise. Filters: one that is left out does not narrow, an empty array matches nothing, and of
 * several given ones any may match.
 * The only implementation is `sql.ts` (Kysely); its dialects are SQLite and PostgreSQL.
 */
export interface Repository {
  // --- runs
  beginRun(run: { runId: string; startedAt: string; forced: boolean }): Promise<void>;
  /** Writes what is pending and the summary, then tells the listeners. */
  endRun(summary: RunSummary): Promise<void>;
  /** Null while the run goes on or when nobody here knows it. */
  runSummary(runId: string): Promise<RunSummary | null>;
  /**
   * Called once per ended run, after `endRun` wrote it, in the process that ended it. A listener that fails is warned of
   * and stops nobody. Returns how to stop listening.
   */
  onRunEnded(listener: (summary: RunSummary) => void): () => void;

  // --- what was seen
  /**
   * Keeps a report; batched, returns at once. Recording the same run and endpoint again changes nothing. What can't be
   * written waits and is tried again; the next `flush` or read of what was seen tells the reason. A report that no
   * database could take is left out, which one of them tells, once. Ignored after `close`.
   */
  record(report: EndpointReport): void;
  /** Resolves when everything recorded so far is written. */
  flush(): Promise<void>;
  /** Known endpoints by their names, by place (`domain@ip`), or by a certificate among their last two sightings; all when empty. */
  endpoints(by?: { names?: string[]; places?: string[]; fingerprints?: string[] }): Promise<KnownEndpoint[]>;
  certificates(fingerprints: string[]): Promise<Map<string, Certificate>>;
  /** Fingerprints that share issuer and serial number with another certificate of another key (their keys need the fingerprint). */
  ambiguousCertificates(fingerprints: string[]): Promise<Set<string>>;

  // --- what was found
  findings(by: { kind: Finding['kind']; places?: string[]; keys?: string[] }): Promise<KnownFinding[]>;
  /** Inserts or replaces by key, some hundred at a time. */
  saveFindings(findings: KnownFinding[]): Promise<void>;

  // --- what was told: one memory per policy
  notices(memory: string, keys: string[]): Promise<Map<string, Notice>>;
  saveNotices(memory: string, notices: Notice[]): Promise<void>;
  /** Keys and places that are retired in that memory. */
  retired(memory: string): Promise<Set<string>>;
  setRetired(memory: string, keyOrPlace: string, isRetired: boolean): Promise<void>;

  // --- tickets: `desk` tells one helpdesk instance from another, e.g. `request-tracker:https://rt.example`
  ticket(desk: string, key: string): Promise<TicketRecord | null>;
  saveTicket(desk: string, record: TicketRecord): Promise<void>;
  /** Ids of a desk's tickets that were not over when last seen, newest first. */
  openTicketIds(desk: string): Promise<string[]>;
  /**
   * The right to act on a key; false while somebody else holds it. Across processes, durable. A claim whose lease has
   * run out is taken over; who holds it prolongs it by claiming again.
   */
  claim(claim: Claim): Promise<boolean>;
  releaseClaim(desk: string, key: string, owner: string): Promise<void>;
  /** Keeps a work in the place of older ones and claims its key, both in one transaction; false as for `claim`. */
  begin(work: Work, replaces: readonly string[], claim: Claim): Promise<boolean>;
  /** The record of a notice (key, run, state) that was carried out already, so that it is carried out once. */
  carried(desk: string, notice: CarriedNotice): Promise<TicketRecord | null>;
  /** What an action on a key came to, in one transaction. */
  conclude(desk: string, conclusion: Conclusion): Promise<void>;

  // --- work that a helpdesk could not take: written durably before the message counts as accepted
  /** Inserts or replaces by id, whatever desk it was kept for. */
  saveWork(work: Work): Promise<void>;
  /** Replaces a work that is still as it was read; false when somebody changed or removed it meanwhile. */
  changeWork(was: Work, work: Work): Promise<boolean>;
  removeWork(id: string): Promise<void>;
  /** Oldest first. */
  work(desk?: string, key?: string): Promise<Work[]>;

  // --- the local desk
  localTickets: LocalTickets;

  // --- pages for the admin routes, newest first; `BAD_MESSAGE` for an `after` that is no page's `next`
  certificatePage(page: PageQuery): Promise<Page<CertificateItem>>;
  ticketPage(page: PageQuery): Promise<Page<TicketRecord>>;
  runPage(page: PageQuery): Promise<Page<RunSummary>>;

  /**
   * Removes runs, sightings and carried notices older than `days`; never tickets and certificates. An endpoint's last two
   * sightings and its evidence stay: not reached for long is not renewed.
   */
  prune(days: number, now: Date): Promise<void>;
  /**
   * Everything that is kept, as lines of JSON that `restore` takes back. Read in pages: what is written meanwhile may be
   * in it or not.
   */
  export(): AsyncIterable<string>;
  /**
   * Writes what `export` gave into this repository, which must be empty: all of it or nothing. Returns how many rows.
   * `INVALID` for another text or a part of one, one of a newer version, and a repository in use.
   */
  restore(lines: AsyncIterable<string>): Promise<number>;
  /** Writes what is pending; rejects when it can't, and is closed all the same. */
  close(): Promise<void>;
}

/** One run that reached an endpoint. */
export interface Sighting {
  runId: string;
  at: string;
  /** Certificates served then, today's clients' first. */
  fingerprints: string[];
  /** Those of them that could not be asked for and count on from before; see `servedFingerprints`. */
  kept?: string[];
}

/** What is known of one endpoint. */
export interface KnownEndpoint {
  endpoint: Endpoint;
  firstSeenAt: string;
  /** Last run that looked, whether it reached the endpoint or not. */
  lastRunId: string;
  lastStatus: EndpointReport['status'];
  lastSeenAt: string;
  /** The last two runs that got a certificate, newest first. */
  sightings: Sighting[];
  /** From the last report that was not `unreachable`; null when there was none. */
  evidence: Evidence | null;
}

/** The judgement that a port counts with when a run does not look at it. Frozen: endpoints may share it. */
export interface Evidence {
  runId: string;
  scannedAt: string;
  ciphers: Cipher[];
  checks: Check[];
}

/** A Finding that was active once, and since when it is over. */
export interface KnownFinding {
  /** As last told while active. */
  finding: Finding;
  /** `domain@ip` of a vulnerability, null for expiry. */
  place: string | null;
  /** What made it active, e.g. `192.0.2.7:443 rc4`; see lib/findings. */
  causes: string[];
  activeAt: string;
  /** Null while it is active. */
  clearedAt: string | null;
}

/** What a policy told of one key. */
export interface Notice {
  key: string;
  /** Last time something was created, added or mailed; null when only silenced so far. */
  lastAt: string | null;
  count: number;
  /** Thresholds (days left) already used up. */
  thresholds: number[];
  /** What was known to be wrong when last told; anything beyond it is `worse`. */
  causes: string[];
  /** Run of the last decision and what it was, so that the same Finding again gets the same answer. */
  lastRunId: string | null;
  lastNotification: string | null;
  /** When clearing was told; null while active. */
  clearedAt: string | null;
  /** Snoozed until then, ISO 8601. */
  snoozedUntil: string | null;
  /** Acknowledged: until then (`9999-…` for ever), with the causes known then. */
  acknowledgedUntil: string | null;
  acknowledgedCauses: string[];
  /** What stood here before the last telling, until that is known to have gone out; a kill in between is undone by it. */
  unsent?: Notice | null;
}

export interface CarriedNotice {
  key: string;
  runId: string;
  state: Finding['state'];
}

/** Who acts on the ticket of a key, from `now` for `leaseMs` (an hour at most). */
export interface Claim {
  desk: string;
  key: string;
  /** Tells one action from every other, in this process and elsewhere. */
  owner: string;
  leaseMs: number;
  now: Date;
}

export interface Conclusion {
  /** To be kept; null when what is kept is still right. */
  ticket: TicketRecord | null;
  /** Notices that are carried out by it, each with `record`. */
  carried: readonly CarriedNotice[];
  record: TicketRecord;
  /** Work that is over. */
  workId?: string;
  /** Claim to release. */
  claim?: { key: string; owner: string };
}

/** One Finding that waits for its helpdesk. */
export interface Work {
  id: string;
  desk: string;
  /** Node that took it, so that the record goes out there. */
  nodeId: string;
  key: string;
  finding: Finding;
  /** The message's own properties that must survive (JSON): reason, overrides, the rest of the message. */
  message: Record<string, unknown>;
  state: 'queued' | 'parked';
  error: { code: string; message: string };
  attempts: number;
  createdAt: string;
  nextAt: string;
}

/** Tickets of the embedded desk. `NOT_FOUND` for a change to a number that does not exist. */
export interface LocalTickets {
  create(ticket: Omit<LocalTicket, 'id'>): Promise<LocalTicket>;
  get(ids: string[]): Promise<LocalTicket[]>;
  findByKey(key: string): Promise<LocalTicket[]>;
  setStatus(id: string, status: string, at: string): Promise<void>;
  addNote(id: string, note: LocalNote): Promise<void>;
}
export interface LocalNote {
  at: string;
  text: string;
}
export interface LocalTicket {
  /** Number from 1, as text. */
  id: string;
  key: string;
  subject: string;
  body: string;
  status: string;
  priority: string;
  createdAt: string;
  updatedAt: string;
  notes: LocalNote[];
}

export interface PageQuery {
  /** 1 to 1,000; default 100. */
  limit?: number;
  after?: string;
}
export interface Page<T> {
  items: T[];
  total: number;
  /** Value for `after` of the next page, null at the end. */
  next: string | null;
}
/** `endpoints`: that served it in one of their last two sightings; `current`: one of them still does as far as known. */
export type CertificateItem = Certificate & {
  endpoints: Endpoint[];
  firstSeenAt: string;
  lastSeenAt: string;
  daysLeft: number;
  current: boolean;
};
