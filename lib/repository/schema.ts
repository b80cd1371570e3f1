/**
 * Tables as Kysely sees them. Column types are portable: text and integer only, times as ISO 8601 UTC text, what is
 * never searched as JSON text (which also keeps NUL characters, that SQLite and PostgreSQL cut or refuse in text).
 */
export interface Schema {
  run: RunTable;
  certificate: CertificateTable;
  endpoint: EndpointTable;
  endpoint_certificate: EndpointCertificateTable;
  evidence: EvidenceTable;
  sighting: SightingTable;
  finding: FindingTable;
  notice: NoticeTable;
  retired: RetiredTable;
  ticket: TicketTable;
  claim: ClaimTable;
  carried: CarriedTable;
  work: WorkTable;
  counter: CounterTable;
  local_ticket: LocalTicketTable;
  local_note: LocalNoteTable;
}

export interface RunTable {
  run_id: string;
  started_at: string;
  /** 0 or 1 */
  forced: number;
  finished_at: string | null;
  /** JSON of RunSummary, null while the run goes on. */
  summary: string | null;
}

/** Each certificate once. */
export interface CertificateTable {
  fingerprint: string;
  issuer: string;
  serial_number: string;
  /** JSON of Certificate. */
  certificate: string;
  first_seen_at: string;
  last_seen_at: string;
}

export interface EndpointTable {
  name: string;
  domain: string | null;
  ip: string;
  port: number;
  starttls: string | null;
  place: string;
  first_seen_at: string;
  last_run_id: string;
  last_status: string;
  last_seen_at: string;
  /** JSON of Sighting[]: the last two, newest first. */
  recent: string;
  /** Of the last report that was not unreachable; all three null when there was none. */
  evidence_run_id: string | null;
  evidence_at: string | null;
  evidence_id: string | null;
}

/** Which endpoints have a certificate among their last two sightings; follows `endpoint.recent`. */
export interface EndpointCertificateTable {
  fingerprint: string;
  endpoint: string;
}

/** What checks found, kept once however many endpoints and runs it is the same for. */
export interface EvidenceTable {
  /** Hash of the other columns. */
  id: string;
  /** JSON of Cipher[]. */
  ciphers: string;
  /** JSON of Check[]. */
  checks: string;
}

/** History: one row per run and endpoint. */
export interface SightingTable {
  run_id: string;
  endpoint: string;
  at: string;
  status: string;
  /** JSON of string[]; empty when no certificate was got. */
  fingerprints: string;
}

export interface FindingTable {
  key: string;
  kind: string;
  place: string | null;
  active_at: string;
  cleared_at: string | null;
  /** JSON of string[]. */
  causes: string;
  /** JSON of Finding. */
  finding: string;
}

export interface NoticeTable {
  memory: string;
  key: string;
  /** JSON of Notice. */
  notice: string;
}

export interface RetiredTable {
  memory: string;
  key_or_place: string;
}

export interface TicketTable {
  desk: string;
  key: string;
  created_at: string;
  /** JSON of TicketRecord. */
  record: string;
  /** The helpdesk's id while the ticket is not over. */
  open_id: string | null;
}

export interface ClaimTable {
  desk: string;
  key: string;
  owner: string;
  expires_at: string;
}

/** Notices carried out. */
export interface CarriedTable {
  desk: string;
  key: string;
  run_id: string;
  state: string;
  at: string;
  /** JSON of TicketRecord. */
  record: string;
}

export interface WorkTable {
  id: string;
  desk: string;
  key: string;
  created_at: string;
  /** JSON of Work. */
  work: string;
}

/** Last number given out per name; numbers are never given twice. */
export interface CounterTable {
  name: string;
  value: number;
}

export interface LocalTicketTable {
  id: number;
  key: string;
  status: string;
  updated_at: string;
  /** JSON of LocalTicket without what has its own column or table. */
  ticket: string;
}

export interface LocalNoteTable {
  ticket_id: number;
  position: number;
  /** JSON of LocalNote. */
  note: string;
}
