import { CertDeskError } from '../model/errors';
import type { TicketStatus } from '../model/ticket';

/**
 * One description of a helpdesk drives everything: dialog, validation, help table, docs row and contract tests.
 * An adapter is one file that exports a `HelpdeskType`; the algorithm (decision table, desk) is not in it.
 */
export interface HelpdeskType {
  /** The part after `certdesk-ticket-`: `request-tracker`, `local`, … */
  readonly name: string;
  /** Palette label is `<label> ticket`. */
  readonly label: string;
  /** Properties of the connection node; none = no connection node (the local desk). */
  readonly connectionFields: readonly Field[];
  /** Properties of the ticket node that say where tickets go: `queue`, `project`, … */
  readonly ticketFields: readonly Field[];
  /** Native statuses by name, lower case; tried after the user's own map. */
  readonly statuses: Readonly<Record<string, TicketStatus>>;
  readonly capabilities: Capabilities;
  connect(connection: ConnectionSettings, services: HelpdeskServices): Helpdesk;
}

/** One property in a dialog. */
export interface Field {
  name: string;
  /** Catalogue key suffix and, in English, its text. */
  label: string;
  type: 'text' | 'password' | 'select' | 'json' | 'config';
  /** For `select`. */
  options?: readonly string[];
  /** For `config`: the type of the core config node, `tls-config` or `http proxy`. */
  configType?: string;
  default?: string;
  required?: boolean;
  /** Kept with Node-RED's credentials, never in the flow file. */
  secret?: boolean;
  help: string;
}

export interface Capabilities {
  /** The helpdesk's notes can be read, so that a note is added exactly once; else at least once. */
  canReadNotes: boolean;
  /** How long a created ticket may stay invisible to `find`, in milliseconds. */
  searchLagMs: number;
  /**
   * How long a request that got no answer may take until it shows or never will, in milliseconds: the slowest request
   * and the search lag. So long nothing is sent for that key.
   */
  settleMs: number;
  /** Most tickets that `get` can fetch with one request. */
  bulkSize: number;
  subjectMax: number;
  textMax: number;
}

/** Values of `connectionFields` by name, secrets included, and what config nodes gave. */
export interface ConnectionSettings {
  values: Readonly<Record<string, string>>;
  /** The user's own status map, native name or id to TicketStatus. */
  statusMap: Readonly<Record<string, TicketStatus>>;
  tls?: {
    ca?: string;
    cert?: string;
    key?: string;
    passphrase?: string;
    rejectUnauthorized?: boolean;
    servername?: string;
  };
  proxy?: { url: string; noproxy: string[]; username?: string; password?: string };
}

/** What the house gives an adapter. */
export interface HelpdeskServices {
  /** Only the local desk uses it. */
  localTickets?: import('../repository/repository').LocalTickets;
  now(): Date;
}

/** A ticket as the helpdesk has it. */
export interface Ticket {
  id: string;
  number: string;
  /** For people. */
  url: string | null;
  /** Our key as stored there; '' when the field is missing or empty. */
  key: string;
  subject: string;
  nativeStatus: string;
  status: TicketStatus;
  priority: string;
  /** Deleted, or merged away without a target that the API names. */
  isGone: boolean;
  /** Closed so that the helpdesk never opens it again. */
  isFinal?: boolean;
  createdAt: string;
}

/** What a new ticket says; `target` and `fields` are what `ticketFields` and the user's JSON gave. */
export interface TicketDraft {
  key: string;
  subject: string;
  /** Plain text; the adapter shows it as its helpdesk shows it best, cut at the limit with a visible note. */
  body: string;
  priority: string;
  target: Readonly<Record<string, string>>;
  fields: Readonly<Record<string, unknown>>;
}

/**
 * The ticket was created and does not show our key. The desk remembers it all the same: found by its id,
 * it is not created a second time.
 */
export class KeyLostError extends CertDeskError {
  constructor(
    message: string,
    readonly ticket: Ticket,
  ) {
    super('INVALID', message);
    this.name = 'KeyLostError';
  }
}

/**
 * One connected helpdesk. Every method throws CertDeskError with a code of the contract and nothing else;
 * no error text holds a secret. No answer is taken at its word: see each method.
 */
export interface Helpdesk {
  /** Tickets whose stored key equals `key` (compared again here), deleted ones left out. Refuses an empty key. */
  find(key: string): Promise<Ticket[]>;
  /** Creates and reads back; KeyLostError naming the missing field or right when the key did not stick. */
  create(draft: TicketDraft): Promise<Ticket>;
  /** By id, of any status; an id that is gone is missing from the map. Pages by itself. */
  get(ids: string[]): Promise<Map<string, Ticket>>;
  /** Adds an internal note. */
  addNote(id: string, text: string): Promise<void>;
  /** Texts of the notes, newest last; null where they can't be read. */
  notes(id: string): Promise<string[] | null>;
  /** Back to open; reads back, `CONFLICT` when the status did not change. Priority is left alone. */
  reopen(id: string): Promise<Ticket>;
  /** To resolved, with the user's `resolveFields`; reads back like `reopen`. */
  resolve(id: string, fields: Readonly<Record<string, unknown>>): Promise<Ticket>;
  /** What is right and wrong with the connection, for `msg.check`; does not throw. */
  check(target: Readonly<Record<string, string>>): Promise<CheckResult[]>;
}

export interface CheckResult {
  /** `reachable`, `credentials`, `search`, `create`, `key-field`, `status`, `priority`, … */
  id: string;
  ok: boolean;
  detail: string;
}
