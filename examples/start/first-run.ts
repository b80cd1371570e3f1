import { setTimeout as wait } from 'node:timers/promises';
import type { RunSummary } from '../../lib/model/report';
import type { TicketRecord } from '../../lib/model/ticket';

const POLL_MS = 200;
const SETTLED_MS = 1500;
const LIMIT_MS = 120_000;

/** Says in a few lines what the first run after the start scanned and which tickets there are. */
export async function tellFirstRun(url: string, startedAt: Date, say: (line: string) => void): Promise<void> {
  const run = await firstRun(url, startedAt);
  if (run === null) {
    say(`The scan goes on for more than ${LIMIT_MS / 1000} s. Open ${url} to see how far it is.`);
    return;
  }
  const tickets = await settledTickets(url);
  const unreachable = run.unreachableEndpoints.map(({ name, reason }) => `${name} (${reason})`).join(', ');
  say(
    `Scanned ${count(run.endpoints, 'endpoint')}: ${run.scanned + run.partial} answered, ${run.unreachable} did not${unreachable && `: ${unreachable}`}.`,
  );
  say(tickets.length === 0 ? 'No tickets.' : `${count(tickets.length, 'ticket')}:`);
  for (const ticket of tickets) say(`  #${ticket.number}  ${ticket.priority}  ${ticket.status}  ${ticket.subject}`);
  say(`Open ${url} to see the flow. Ctrl-C ends everything.`);
}

async function firstRun(url: string, startedAt: Date): Promise<RunSummary | null> {
  for (const limit = Date.now() + LIMIT_MS; Date.now() < limit; await wait(POLL_MS)) {
    const newest = (await items<RunSummary>(url, 'runs'))[0];
    if (newest !== undefined && newest.startedAt >= startedAt.toISOString()) return newest;
  }
  return null;
}

/** The tickets once they have not changed for a while: they come after the run has ended. */
async function settledTickets(url: string): Promise<TicketRecord[]> {
  let before = '';
  for (let changedAt = Date.now(); ; await wait(POLL_MS)) {
    const tickets = await items<TicketRecord>(url, 'tickets');
    const now = JSON.stringify(tickets);
    if (now !== before) changedAt = Date.now();
    if (Date.now() - changedAt >= SETTLED_MS) return tickets.toSorted((a, b) => Number(a.number) - Number(b.number));
    before = now;
  }
}

async function items<T>(url: string, what: 'runs' | 'tickets'): Promise<T[]> {
  const response = await fetch(`${url}certdesk/default/${what}`).catch(() => null);
  if (response === null || !response.ok) return [];
  return ((await response.json()) as { items: T[] }).items;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
