import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { selects, TicketSqlError, type Row } from './ticket-sql';

/** Collection.pm's default, and what it cuts longer pages to. */
const PAGE = 20;
const LONGEST_PAGE = 100;
const NEVER = '1970-01-01T00:00:00Z';

/** The default lifecycle (etc/RT_Config.pm.in, %Lifecycles); `deleted` is for administrators. */
const STATUSES = ['new', 'open', 'stalled', 'resolved', 'rejected'];
export const INACTIVE = ['resolved', 'rejected', 'deleted'];

export interface FakeTicket {
  id: number;
  queue: string;
  subject: string;
  status: string;
  priority: number;
  key: string;
  created: string;
  resolved: string;
  due: string;
  timeWorked: string;
  requestor: string[];
  /** First the body, then the comments. */
  texts: { id: number; content: string }[];
  /** Number of the ticket that this one was merged into. */
  mergedInto: number | null;
}

type Json = Record<string, unknown>;
interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Ends a request with RT's own words. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Request Tracker 5 as far as its REST 2.0 is used by lib/helpdesks/request-tracker.ts
 * (https://docs.bestpractical.com/rt/5.0/RT/REST2.html): two queues, one custom field, a service account and root.
 * Like the real one it doesn't keep keys unique, says 200 to what it refuses, and drops fields it doesn't know.
 */
export class FakeRequestTracker {
  static readonly queue = 'Certificates';
  static readonly bareQueue = 'Bare';
  static readonly keyField = 'CertDesk Key';
  readonly token = '1-14-0123456789abcdef0123456789abcdef';
  readonly adminToken = '1-12-fedcba9876543210fedcba9876543210';
  /** By number, in the order of creation. */
  readonly tickets = new Map<number, FakeTicket>();
  requests = 0;
  private lastId = 0;
  private lastText = 0;
  private lastTransaction = 0;
  private readonly byKey = new Map<string, FakeTicket[]>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeRequestTracker> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      fake.answer(request, response).catch(() => response.destroy());
    });
    const fake = new FakeRequestTracker(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  /** An open ticket that is there already, by no request. */
  seed({ key, subject }: { key: string; subject: string }): FakeTicket {
    const fields = { Queue: FakeRequestTracker.queue, Subject: subject, Priority: 100 };
    this.create({ ...fields, CustomFields: { [FakeRequestTracker.keyField]: key } });
    const ticket = this.tickets.get(this.lastId);
    if (ticket === undefined) throw new Error('The ticket was not made.');
    return ticket;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    this.requests += 1;
    let reply: Reply;
    try {
      reply = this.route(request, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply = { status: error.status, body: { message: error.message } };
    }
    response.writeHead(reply.status, { 'Content-Type': 'application/json; charset="utf-8"', ...reply.headers });
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
  }

  private route(request: IncomingMessage, body: string): Reply {
    const isAdmin = request.headers.authorization === `token ${this.adminToken}`;
    if (!isAdmin && request.headers.authorization !== `token ${this.token}`) throw new Refusal(401, 'Unauthorized');
    const url = new URL(request.url ?? '/', this.url);
    const [, root, version, what = '', id = '', part = ''] = url.pathname.split('/').map(decodeURIComponent);
    if (root !== 'REST' || version !== '2.0') throw new Refusal(404, 'Not Found');
    const type = request.headers['content-type'] ?? '';
    const json = (): Json => parse(body, type);
    switch (`${request.method} ${what}${id === '' ? '' : '/:id'}${part === '' ? '' : `/${part}`}`) {
      case 'GET rt':
        return { status: 200, body: { Version: '5.0.3' } };
      case 'GET queue/:id':
        return { status: 200, body: this.queue(id) };
      case 'POST ticket':
        return this.create(json());
      case 'GET ticket/:id':
        return { status: 200, body: this.show(this.ticket(id, 'Not Found')) };
      case 'PUT ticket/:id':
        return { status: 200, body: this.update(this.ticket(id, NO_RESOURCE), json(), isAdmin) };
      case 'DELETE ticket/:id':
        return this.remove(this.ticket(id, 'Not Found'), isAdmin);
      case 'POST ticket/:id/comment':
        return this.comment(id, json());
      case 'GET ticket/:id/attachments':
        return { status: 200, body: this.attachments(id, url.searchParams) };
      case 'GET tickets':
        return { status: 200, body: this.search(url.searchParams) };
      case 'POST tickets':
        return { status: 200, body: this.search(merged(url.searchParams, body)) };
      default:
        throw new Refusal(404, 'Not Found');
    }
  }

  private queue(name: string): Json {
    const known = [FakeRequestTracker.queue, FakeRequestTracker.bareQueue];
    if (!known.includes(name)) throw new Refusal(403, 'Forbidden');
    const id = known.indexOf(name) + 3;
    const field = { id: '2', name: FakeRequestTracker.keyField, ref: 'customfield', type: 'customfield' };
    return {
      id,
      Name: name,
      Lifecycle: 'default',
      TicketCustomFields: name === FakeRequestTracker.queue ? [field] : [],
      _hyperlinks: [
        { ref: 'self', type: 'queue', id },
        { ref: 'create', type: 'ticket', _url: `${this.url}/REST/2.0/ticket?Queue=${id}` },
      ],
    };
  }

  private create(fields: Json): Reply {
    const queue = string(fields['Queue']);
    if (queue === '') throw new Refusal(400, 'Could not create ticket. Queue not set');
    if (queue !== FakeRequestTracker.queue && queue !== FakeRequestTracker.bareQueue)
      throw new Refusal(403, `No permission to create tickets in the queue '${queue}'`);
    const priority = Number(fields['Priority'] ?? 0);
    // Names are for people; PostgreSQL takes only numbers here.
    if (!Number.isInteger(priority)) throw new Refusal(400, 'Ticket could not be created due to an internal error');
    const ticket: FakeTicket = {
      ...{ id: ++this.lastId, queue, subject: string(fields['Subject']), status: 'new', priority },
      ...{ key: '', created: stamp(), resolved: NEVER, due: NEVER, timeWorked: '0', mergedInto: null },
      requestor: [string(fields['Requestor'])].filter(address => address !== ''),
      texts: [{ id: ++this.lastText, content: string(fields['Content']) }],
    };
    this.setFields(ticket, fields);
    if (queue === FakeRequestTracker.queue) this.setKey(ticket, customField(fields));
    this.tickets.set(ticket.id, ticket);
    const path = `/REST/2.0/ticket/${ticket.id}`;
    const body = { type: 'ticket', _url: this.url + path, id: String(ticket.id) };
    return { status: 201, body, headers: { Location: path } };
  }

  /** 200 whatever comes of it: only the words tell. */
  private update(ticket: FakeTicket, fields: Json, isAdmin: boolean): string[] {
    const words: string[] = [];
    this.setFields(ticket, fields);
    const key = customField(fields);
    if (key !== undefined && key !== ticket.key) {
      this.setKey(ticket, key);
      words.push(`${FakeRequestTracker.keyField} ${key} added`);
    }
    const into = fields['MergeInto'];
    if (into !== undefined) {
      const target = this.ticket(string(into), NO_RESOURCE);
      ticket.mergedInto = target.id;
      target.texts = [...target.texts, ...ticket.texts].sort((a, b) => a.id - b.id);
      words.push('Merge Successful');
    }
    const status = string(fields['Status']);
    if (status !== '' && status !== ticket.status) words.push(this.setStatus(ticket, status, isAdmin));
    return words;
  }

  private setStatus(ticket: FakeTicket, status: string, isAdmin: boolean): string {
    const of = `Ticket ${ticket.id}:`;
    if (status === 'deleted' && !isAdmin) return `${of} Permission Denied`;
    if (status !== 'deleted' && !STATUSES.includes(status))
      return `${of} Status '${status}' isn't a valid status for this ticket.`;
    const was = ticket.status;
    ticket.status = status;
    ticket.resolved = INACTIVE.includes(status) ? stamp() : NEVER;
    return `${of} Status changed from '${was}' to '${status}'`;
  }

  private remove(ticket: FakeTicket, isAdmin: boolean): Reply {
    if (!isAdmin) throw new Refusal(403, 'Forbidden');
    ticket.status = 'deleted';
    return { status: 204 };
  }

  private comment(id: string, fields: Json): Reply {
    const ticket = this.tickets.get(Number(id));
    // So it says also of a ticket that is not there.
    if (ticket === undefined) throw new Refusal(400, 'Permission Denied');
    this.target(ticket).texts.push({ id: ++this.lastText, content: string(fields['Content']) });
    const headers = { Location: `/REST/2.0/transaction/${++this.lastTransaction}` };
    return { status: 201, body: ['Comments added'], headers };
  }

  private attachments(id: string, query: URLSearchParams): Json {
    const ticket = this.tickets.get(Number(id));
    const texts = ticket === undefined ? [] : this.target(ticket).texts;
    const ordered = query.get('order') === 'DESC' ? [...texts].reverse() : texts;
    const all = { ContentType: () => 'text/plain', Content: (text: { content: string }) => text.content };
    const items = ordered.map(item => ({
      ...{ id: String(item.id), type: 'attachment', _url: `${this.url}/REST/2.0/attachment/${item.id}` },
      ...chosen(query, all, item),
    }));
    // The account may not count what it may not see one by one.
    return { ...this.page('attachments', items, query), total: null, pages: null };
  }

  private search(query: URLSearchParams): Json {
    const sql = query.get('query') ?? '';
    let wanted: (row: Row) => boolean;
    try {
      wanted = sql.trim() === '' ? () => false : selects(sql);
    } catch (error) {
      if (error instanceof TicketSqlError) throw new Refusal(400, error.message);
      throw error;
    }
    const key = /^CF\.\{CertDesk Key\} = '([^'\\]*)'$/.exec(sql)?.[1];
    const candidates = key === undefined ? this.tickets.values() : (this.byKey.get(key.toLowerCase()) ?? []);
    const items: Json[] = [];
    for (const ticket of candidates) {
      // Deleted tickets leave every search, merged ones are found as their target.
      if (ticket.status === 'deleted' || ticket.mergedInto !== null || !wanted(rowOf(ticket))) continue;
      const whole = (name: string) => () => this.show(ticket)[name];
      const names = ['Subject', 'Status', 'Priority', 'Created', 'Due', 'Resolved', 'CustomFields'];
      items.push({
        ...{ id: String(ticket.id), type: 'ticket', _url: `${this.url}/REST/2.0/ticket/${ticket.id}` },
        ...chosen(query, Object.fromEntries(names.map(name => [name, whole(name)])), ticket),
      });
    }
    return this.page('tickets', items, query);
  }

  private page(what: string, items: readonly Json[], query: URLSearchParams): Json {
    const size = Math.min(Number(query.get('per_page')) || PAGE, LONGEST_PAGE);
    const page = Number(query.get('page')) || 1;
    const part = items.slice((page - 1) * size, page * size);
    const pages = Math.ceil(items.length / size);
    const next = page < pages ? { next_page: `${this.url}/REST/2.0/${what}?page=${page + 1}` } : {};
    return { items: part, count: part.length, total: items.length, page, per_page: size, pages, ...next };
  }

  private show(ticket: FakeTicket): Json {
    const field = { id: '2', name: FakeRequestTracker.keyField, type: 'customfield' };
    const fields = ticket.queue === FakeRequestTracker.queue;
    return {
      id: ticket.id,
      Type: 'ticket',
      Queue: { id: ticket.queue === FakeRequestTracker.queue ? '3' : '4', type: 'queue' },
      Subject: ticket.subject,
      Status: ticket.status,
      Priority: String(ticket.priority),
      Created: ticket.created,
      Resolved: ticket.resolved,
      Due: ticket.due,
      TimeWorked: ticket.timeWorked,
      Requestor: ticket.requestor.map(id => ({ id, type: 'user' })),
      CustomFields: fields ? [{ ...field, values: ticket.key === '' ? [] : [ticket.key] }] : [],
    };
  }

  private ticket(id: string, message: string): FakeTicket {
    const ticket = /^\d+$/.test(id) ? this.tickets.get(Number(id)) : undefined;
    if (ticket === undefined) throw new Refusal(404, message);
    return this.target(ticket);
  }

  private target(ticket: FakeTicket): FakeTicket {
    const into = ticket.mergedInto === null ? undefined : this.tickets.get(ticket.mergedInto);
    return into === undefined ? ticket : this.target(into);
  }

  private setFields(ticket: FakeTicket, fields: Json): void {
    if (fields['Due'] !== undefined) ticket.due = `${string(fields['Due']).replace(' ', 'T')}Z`;
    if (fields['TimeWorked'] !== undefined) ticket.timeWorked = string(fields['TimeWorked']);
  }

  private setKey(ticket: FakeTicket, key: string | undefined): void {
    const of = (one: string): FakeTicket[] => this.byKey.get(one.toLowerCase()) ?? [];
    this.byKey.set(
      ticket.key.toLowerCase(),
      of(ticket.key).filter(other => other !== ticket),
    );
    ticket.key = key ?? '';
    this.byKey.set(ticket.key.toLowerCase(), [...of(ticket.key), ticket]);
  }
}

const NO_RESOURCE = 'Resource does not exist; use POST to create';

function rowOf(ticket: FakeTicket): Row {
  const { id, queue, subject, status, key } = ticket;
  return { id: String(id), queue, subject, status, [`cf.${FakeRequestTracker.keyField}`.toLowerCase()]: key };
}

function parse(body: string, type: string): Json {
  if (!/^application\/json\b/i.test(type)) throw new Refusal(415, 'Unsupported Media Type');
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    throw new Refusal(400, 'JSON parse error: malformed JSON string, at character offset 0\n');
  }
}

/** The fields that were asked for. */
function chosen<T>(query: URLSearchParams, fields: Record<string, (item: T) => unknown>, item: T): Json {
  const names = (query.get('fields') ?? '').split(',');
  return Object.fromEntries(names.flatMap(name => (fields[name] === undefined ? [] : [[name, fields[name](item)]])));
}

function customField(fields: Json): string | undefined {
  const all = fields['CustomFields'];
  if (typeof all !== 'object' || all === null) return undefined;
  const value = (all as Json)[FakeRequestTracker.keyField] ?? (all as Json)['2'];
  return value === undefined ? undefined : string(value);
}

function merged(query: URLSearchParams, form: string): URLSearchParams {
  return new URLSearchParams([...query, ...new URLSearchParams(form)]);
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function stamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
