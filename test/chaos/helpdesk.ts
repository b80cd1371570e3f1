import { FakeRequestTracker } from '../fakes/request-tracker';
import type { RequestTracker } from '../lab/request-tracker';
import type { Status } from './model';
import type { Connection } from './node-red';

/** A ticket as people see it. */
export interface SeenTicket {
  id: string;
  key: string;
  status: string;
  /** Body first, then notes in their order. */
  texts: string[];
}

/** The Request Tracker behind the proxy, by a way of its own. */
export interface ChaosHelpdesk {
  connection: Connection;
  /** Headers for what the proxy forwards. */
  headers?: () => Record<string, string | undefined>;
  setStatus(id: string, status: Status): Promise<void>;
  /** All tickets whose key starts so. */
  tickets(name: string): Promise<SeenTicket[]>;
  stop(): Promise<void>;
}

export async function fakeHelpdesk(): Promise<ChaosHelpdesk> {
  const fake = await FakeRequestTracker.start();
  const { queue, keyField } = FakeRequestTracker;
  return {
    connection: { url: fake.url, token: fake.token, queue, keyField },
    setStatus: async (id, status) => {
      const ticket = fake.tickets.get(Number(id));
      if (ticket === undefined) throw new Error(`There is no ticket ${id}.`);
      ticket.status = status;
    },
    tickets: async name =>
      [...fake.tickets.values()]
        .filter(ticket => ticket.key.startsWith(`${name}-`))
        .map(({ id, key, status, texts }) => ({ id: String(id), key, status, texts: texts.map(text => text.content) })),
    stop: () => fake.stop(),
  };
}

/** Sessions that requests take turns with: RT locks a session while it is used. */
const SESSIONS = 8;

/**
 * A real one. What the proxy forwards goes by a browser's session instead of the token: RT checks a token for 0.2 s of
 * CPU with each request, and how it is checked is not what is tried here.
 */
export async function realHelpdesk(rt: RequestTracker): Promise<ChaosHelpdesk> {
  const cookies = await Promise.all(Array.from({ length: SESSIONS }, () => logIn(rt)));
  let turn = 0;
  const headers = (): Record<string, string | undefined> => ({
    authorization: undefined,
    cookie: cookies[turn++ % SESSIONS],
  });
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${rt.url}/REST/2.0${path}`, {
      method,
      headers: { cookie: cookies[turn++ % SESSIONS] ?? '', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const texts = async (id: string): Promise<string[]> => {
    const path = `/ticket/${id}/attachments?fields=Content&per_page=100&orderby=id`;
    return (await call<{ items: { Content: string }[] }>('GET', path)).items.map(item => item.Content);
  };
  return {
    connection: { url: rt.url, token: rt.token, queue: rt.queue, keyField: rt.keyField },
    headers,
    setStatus: async (id, status) => {
      await call('PUT', `/ticket/${id}`, { Status: status });
      const { Status } = await call<{ Status: string }>('GET', `/ticket/${id}`);
      if (Status !== status) throw new Error(`Ticket ${id} is ${Status} instead of ${status}.`);
    },
    tickets: async name => {
      const seen: SeenTicket[] = [];
      for (let page = 1, pages = 1; page <= pages; page++) {
        const query = encodeURIComponent(`CF.{${rt.keyField}} LIKE '${name}-'`);
        const path = `/tickets?query=${query}&fields=Status,CustomFields&per_page=100&page=${page}`;
        const found = await call<FoundTickets>('GET', path);
        pages = Math.ceil(found.total / 100);
        for (const { id, Status, CustomFields } of found.items) {
          const key = CustomFields.find(field => field.name === rt.keyField)?.values[0] ?? '';
          seen.push({ id, key, status: Status, texts: await texts(id) });
        }
      }
      return seen;
    },
    stop: () => rt.stop(),
  };
}

interface FoundTickets {
  total: number;
  items: { id: string; Status: string; CustomFields: { name: string; values: string[] }[] }[];
}

async function logIn(rt: RequestTracker): Promise<string> {
  const response = await fetch(`${rt.url}/NoAuth/Login.html`, {
    method: 'POST',
    body: new URLSearchParams({ user: rt.username, pass: rt.password }),
    headers: { referer: `${rt.url}/` },
    redirect: 'manual',
  });
  const cookie = response.headers.getSetCookie().at(-1)?.split(';')[0];
  if (cookie === undefined) throw new Error('Request Tracker gave no session for its user and password.');
  return cookie;
}
