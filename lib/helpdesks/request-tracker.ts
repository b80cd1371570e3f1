import { CertDeskError, type ErrorCode } from '../model/errors';
import { isOver, type TicketStatus } from '../model/ticket';
import { authFields, authorization } from './auth';
import { checkConnection, tryCheck } from './checks';
import { cutLine, cutText } from './cut';
import { COMMON_FIELDS, URL_FIELD, keyField } from './fields';
import {
  KeyLostError,
  type Capabilities,
  type CheckResult,
  type ConnectionSettings,
  type Helpdesk,
  type HelpdeskServices,
  type HelpdeskType,
  type Ticket,
  type TicketDraft,
} from './helpdesk';
import { HelpdeskHttp } from './http';
import { helpdeskError } from './http-errors';
import { asList, asObject, asText, type JsonObject } from './json';
import { understandStatus } from './status';

/** The default lifecycle of RT 5 (etc/RT_Config.pm.in, %Lifecycles). Deleted tickets are gone, whatever this says. */
const STATUSES: Readonly<Record<string, TicketStatus>> = {
  new: 'Open',
  open: 'In Progress',
  stalled: 'On Hold',
  resolved: 'Resolved',
  rejected: 'Canceled',
  deleted: 'Closed',
};

/** %PriorityAsString of RT 5: people see the names, create takes only the numbers. */
const PRIORITIES: Readonly<Record<string, number>> = { low: 0, medium: 50, high: 100 };

/** Collection.pm cuts longer pages to this without a word. */
const PAGE = 100;
const CAPABILITIES: Capabilities = {
  canReadNotes: true,
  // Search is SQL on the live database.
  searchLagMs: 0,
  // A create runs the queue's scrips, mail among them, before it answers.
  settleMs: 15_000,
  bulkSize: PAGE,
  // Tickets.Subject is varchar(200).
  subjectMax: 200,
  // $MaxAttachmentSize is 10 MiB by default; a ticket nobody can read helps nobody.
  textMax: 1_000_000,
};
const LIST_FIELDS = 'Subject,Status,Priority,Created,CustomFields';

/** Request Tracker 5 by its REST 2.0 (https://docs.bestpractical.com/rt/5.0/RT/REST2.html). */
export const requestTracker: HelpdeskType = {
  name: 'request-tracker',
  label: 'Request Tracker',
  connectionFields: [
    URL_FIELD,
    ...authFields('Made in Request Tracker under Settings, Auth Tokens; starts with 1- and the number of its user.'),
    keyField(
      'CertDesk Key',
      'Custom field for tickets, type "Enter one value", applied to the queue: its name or number.',
    ),
    ...COMMON_FIELDS,
  ],
  ticketFields: [
    {
      name: 'queue',
      label: 'Queue',
      type: 'text',
      required: true,
      help: 'Name of the queue that tickets are made in.',
    },
    {
      name: 'requester',
      label: 'Requester',
      type: 'text',
      help: 'Address of who is told of the ticket; empty is the account of the connection.',
    },
  ],
  statuses: STATUSES,
  capabilities: CAPABILITIES,
  connect: (connection, services) => new RequestTracker(connection, services),
};

class RequestTracker implements Helpdesk {
  private readonly http: HelpdeskHttp;
  private readonly keyField: string;
  /** Queues known to have the key field. */
  private readonly readyQueues = new Set<string>();

  constructor(
    private readonly connection: ConnectionSettings,
    services: HelpdeskServices,
  ) {
    const { headers, secrets } = authorization(connection.values, 'Request Tracker', 'token');
    // The service account's language decides what its refusals are written in; English lets us tell them apart.
    const named = { ...headers, 'Accept-Language': 'en' };
    const now = (): Date => services.now();
    this.http = new HelpdeskHttp({
      label: 'Request Tracker',
      connection,
      apiPath: '/REST/2.0',
      headers: named,
      secrets,
      now,
    });
    this.keyField = connection.values.keyField || 'CertDesk Key';
    // TicketSQL has no way to write such a name (lib/RT/SQL.pm).
    if (/[{}\\'"]/.test(this.keyField)) {
      throw new CertDeskError('CONFIG', 'The name of the key field must be without braces, quotes and backslashes.');
    }
  }

  async find(key: string): Promise<Ticket[]> {
    if (key === '') throw new CertDeskError('INVALID', 'An empty key is never searched for.');
    const found = await this.search(`CF.{${this.keyField}} = '${quote(key)}'`);
    // RT compares without regard to case.
    return found.filter(ticket => ticket.key === key && !ticket.isGone);
  }

  async create(draft: TicketDraft): Promise<Ticket> {
    const queue = draft.target.queue ?? '';
    await this.prepareQueue(queue);
    const { CustomFields: customFields, ...fields } = draft.fields;
    const answer = await this.http.request({
      method: 'POST',
      path: '/ticket',
      json: {
        Queue: queue,
        Subject: cutLine(draft.subject, CAPABILITIES.subjectMax),
        Content: cutText(draft.body, CAPABILITIES.textMax),
        ContentType: 'text/plain',
        Priority: priorityNumber(draft.priority),
        ...(draft.target.requester ? { Requestor: draft.target.requester } : {}),
        ...fields,
        CustomFields: { ...asObject(customFields), [this.keyField]: draft.key },
      },
    });
    const id = asText(asObject(answer).id);
    if (id === '') throw helpdeskError('PROTOCOL', 'Request Tracker made a ticket and did not say its number.');
    const ticket = await this.read(id);
    if (ticket.key === draft.key) return ticket;
    throw new KeyLostError(
      `Request Tracker made ticket ${id} without our key in "${this.keyField}". ` +
        'Give the account of the connection SeeCustomField and ModifyCustomField on that field.',
      ticket,
    );
  }

  async get(ids: string[]): Promise<Map<string, Ticket>> {
    const tickets = new Map<string, Ticket>();
    for (let start = 0; start < ids.length; start += PAGE) {
      const page = ids.slice(start, start + PAGE).filter(id => /^\d+$/.test(id));
      const found = page.length < 2 ? [] : await this.search(page.map(id => `id = ${id}`).join(' OR '));
      for (const ticket of found) tickets.set(ticket.id, ticket);
      // What a search leaves out was deleted, was merged into another, or can't be seen: each says so when asked alone.
      for (const id of page.filter(asked => !tickets.has(asked))) {
        const ticket = await this.readIfThere(id);
        if (ticket !== null) tickets.set(id, ticket);
      }
    }
    return tickets;
  }

  async addNote(id: string, text: string): Promise<void> {
    const json = { Content: cutText(text, CAPABILITIES.textMax), ContentType: 'text/plain' };
    try {
      await this.http.request({ method: 'POST', path: `/ticket/${encodeURIComponent(id)}/comment`, json });
    } catch (error) {
      // 400 both for a ticket that is not there and for a right that is missing (Resource/Message.pm).
      if (!(error instanceof CertDeskError) || error.code !== 'INVALID') throw error;
      await this.read(id);
      if (!isPermissionDenied(error.message)) throw error;
      throw helpdeskError('FORBIDDEN', `Ticket ${id} takes no comment from the account of the connection.`, {
        cause: error,
      });
    }
  }

  /** The newest hundred texts of the ticket in one request; the oldest may be its body. */
  async notes(id: string): Promise<string[]> {
    const query = { fields: 'Content,ContentType', per_page: String(PAGE), orderby: 'id', order: 'DESC' };
    const path = `/ticket/${encodeURIComponent(id)}/attachments`;
    const items = asList(asObject(await this.http.request({ method: 'GET', path, query })).items).map(asObject);
    // Contents are plain here, though base64 where an attachment is read alone (Resource/Attachment.pm).
    const texts = items.filter(item => asText(item.ContentType).startsWith('text/')).map(item => asText(item.Content));
    return texts.reverse();
  }

  async reopen(id: string): Promise<Ticket> {
    const words = await this.update(id, { Status: 'open' });
    const ticket = await this.read(id);
    if (isOver(ticket.status)) throw refusedStatus(ticket, words);
    return ticket;
  }

  async resolve(id: string, fields: Readonly<Record<string, unknown>>): Promise<Ticket> {
    const words = await this.update(id, { ...fields, Status: 'resolved' });
    const ticket = await this.read(id);
    if (!isOver(ticket.status)) throw refusedStatus(ticket, words);
    return ticket;
  }

  async check(target: Readonly<Record<string, string>>): Promise<CheckResult[]> {
    const connected = await checkConnection('Request Tracker', () => this.http.request({ method: 'GET', path: '/rt' }));
    if (connected.some(check => !check.ok)) return connected;
    const search = await tryCheck('search', 'Tickets can be searched by key.', () => this.find('cd-check'));
    return [...connected, ...(await this.checkQueue(target.queue ?? '')), search];
  }

  private async checkQueue(queue: string): Promise<CheckResult[]> {
    let answer: JsonObject = {};
    const visible = await tryCheck('queue', `Queue "${queue}" can be seen.`, async () => {
      answer = await this.readQueue(queue);
    });
    if (!visible.ok) return [visible];
    const mayCreate = asList(answer._hyperlinks)
      .map(asObject)
      .some(link => link.ref === 'create' && link.type === 'ticket');
    const hasField = this.hasKeyField(answer);
    return [
      visible,
      mayCreate
        ? { id: 'create', ok: true, detail: 'Tickets may be created there.' }
        : { id: 'create', ok: false, detail: 'Give the account of the connection CreateTicket on that queue.' },
      hasField
        ? { id: 'key-field', ok: true, detail: `The queue has the field "${this.keyField}".` }
        : { id: 'key-field', ok: false, detail: this.missingField(queue) },
    ];
  }

  /** An unknown field would be dropped in silence and every run would make the ticket again: asked before the first create. */
  private async prepareQueue(queue: string): Promise<void> {
    if (queue === '') throw new CertDeskError('CONFIG', 'Name the queue in the ticket node.');
    if (this.readyQueues.has(queue)) return;
    if (!this.hasKeyField(await this.readQueue(queue))) throw helpdeskError('INVALID', this.missingField(queue));
    this.readyQueues.add(queue);
  }

  private async readQueue(queue: string): Promise<JsonObject> {
    return asObject(await this.http.request({ method: 'GET', path: `/queue/${encodeURIComponent(queue)}` }));
  }

  private hasKeyField(queue: JsonObject): boolean {
    return asList(queue.TicketCustomFields)
      .map(asObject)
      .some(field => this.isKeyField(field));
  }

  private missingField(queue: string): string {
    return (
      `Queue "${queue}" shows no custom field "${this.keyField}": make it (for tickets, one value), apply it to the ` +
      'queue, and give the account of the connection SeeCustomField and ModifyCustomField.'
    );
  }

  private isKeyField(field: JsonObject): boolean {
    return asText(field.name) === this.keyField || asText(field.id) === this.keyField;
  }

  /** At most one page: a key has few tickets and callers page ids. */
  private async search(query: string): Promise<Ticket[]> {
    const form = { query, fields: LIST_FIELDS, per_page: String(PAGE) };
    const answer = asObject(await this.http.request({ method: 'POST', path: '/tickets', form }));
    return this.withCategories(asList(answer.items).map(item => this.toTicket(asObject(item))));
  }

  private async read(id: string): Promise<Ticket> {
    const answer = await this.http.request({ method: 'GET', path: `/ticket/${encodeURIComponent(id)}` });
    const [ticket] = await this.withCategories([this.toTicket(asObject(answer))]);
    if (ticket === undefined || ticket.id === '')
      throw helpdeskError('PROTOCOL', `Ticket ${id} came back without a number.`);
    return ticket;
  }

  private async readIfThere(id: string): Promise<Ticket | null> {
    try {
      return await this.read(id);
    } catch (error) {
      if (error instanceof CertDeskError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  /** 200 also when refused, with the reason as text: callers read the ticket again. */
  private async update(id: string, json: JsonObject): Promise<string> {
    const answer = await this.http.request({ method: 'PUT', path: `/ticket/${encodeURIComponent(id)}`, json });
    return asList(answer).map(asText).join(' ');
  }

  /** Statuses of a lifecycle of one's own: RT has no list of them, but its search knows which are over. */
  private async withCategories(tickets: Ticket[]): Promise<Ticket[]> {
    const unknown = tickets.filter(ticket => ticket.status === 'Unknown');
    if (unknown.length === 0) return tickets;
    const query = `(${unknown.map(ticket => `id = ${ticket.id}`).join(' OR ')}) AND Status = '__Inactive__'`;
    const answer = await this.http.request({
      method: 'POST',
      path: '/tickets',
      form: { query, per_page: String(PAGE) },
    });
    const over = new Set(asList(asObject(answer).items).map(item => asText(asObject(item).id)));
    return tickets.map(ticket =>
      ticket.status === 'Unknown' ? { ...ticket, status: over.has(ticket.id) ? 'Closed' : 'Open' } : ticket,
    );
  }

  private toTicket(item: JsonObject): Ticket {
    const id = asText(item.id);
    const nativeStatus = asText(item.Status);
    const field = asList(item.CustomFields)
      .map(asObject)
      .find(candidate => this.isKeyField(candidate));
    return {
      id,
      number: id,
      url: `${this.http.baseUrl}/Ticket/Display.html?id=${encodeURIComponent(id)}`,
      key: asText(asList(field?.values)[0]),
      subject: asText(item.Subject),
      nativeStatus,
      status: understandStatus({ name: nativeStatus }, { user: this.connection.statusMap, known: STATUSES }),
      priority: priorityName(asText(item.Priority)),
      isGone: nativeStatus.toLowerCase() === 'deleted',
      createdAt: asText(item.Created),
    };
  }
}

/** The two characters that TicketSQL takes for its own inside quotes (lib/RT/Tickets.pm). */
function quote(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/'/g, "\\'");
}

function priorityNumber(priority: string): number {
  const number = PRIORITIES[priority.trim().toLowerCase()] ?? (priority.trim() === '' ? NaN : Number(priority));
  if (Number.isInteger(number)) return number;
  throw new CertDeskError('CONFIG', `Priority "${priority}" is neither a whole number nor Low, Medium or High.`);
}

function priorityName(number: string): string {
  const name = Object.keys(PRIORITIES).find(key => String(PRIORITIES[key]) === number);
  return name === undefined ? number : `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function isPermissionDenied(words: string): boolean {
  return /permission denied/i.test(words);
}

/** A right that is missing must be given by a person; what the lifecycle forbids stays forbidden. */
function refusedStatus(ticket: Ticket, words: string): CertDeskError {
  const code: ErrorCode = isPermissionDenied(words) ? 'FORBIDDEN' : 'CONFLICT';
  return helpdeskError(
    code,
    `Ticket ${ticket.number} stayed ${ticket.nativeStatus}${words === '' ? '.' : `: ${words}.`}`,
  );
}
