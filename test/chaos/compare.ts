import type { Passage } from '../lab/fault-proxy';
import type { SeenTicket } from './helpdesk';
import { markersOf, readText } from './model';
import type { Script } from './script';

/** One key whose tickets are not what they should be, and how that came. */
export interface Wrong {
  key: string;
  what: string;
  /** What was found and done run by run, and every request that names the key or its tickets. */
  trace: string[];
}

/** Compares what the helpdesk has with what the script says must come of it. */
export function compare(script: Script, seen: readonly SeenTicket[], log: readonly Passage[]): Wrong[] {
  const wrong: Wrong[] = [];
  for (const key of new Set([...script.keys, ...seen.map(ticket => ticket.key)])) {
    const tickets = seen.filter(ticket => ticket.key === key);
    const what = judge(script, key, tickets);
    if (what.length > 0) wrong.push({ key, what: what.join('; '), trace: trace(script, key, tickets, log) });
  }
  return wrong;
}

function judge(script: Script, key: string, tickets: readonly SeenTicket[]): string[] {
  const expected = script.expected.get(key)?.ticket ?? null;
  const [ticket, ...more] = tickets;
  if (expected === null) return tickets.length > 0 ? ['a ticket that nothing asked for'] : [];
  if (ticket === undefined) return ['no ticket'];
  if (more.length > 0)
    return [`${tickets.length} tickets: ${tickets.map(({ id, status }) => `${id} ${status}`).join(', ')}`];
  const what: string[] = [];
  if (ticket.status !== expected.status) what.push(`${ticket.status} instead of ${expected.status}`);
  const texts = ticket.texts.map(readText);
  if (texts.join('\n') !== expected.texts.join('\n')) {
    what.push(`texts [${texts.join(' | ')}] instead of [${expected.texts.join(' | ')}]`);
  }
  const markers = ticket.texts.slice(1).map(markersOf);
  if (markers.some(found => found.length !== 1)) what.push('a note without one marker of its own');
  if (new Set(markers.flat()).size !== markers.flat().length) what.push('the same marker twice');
  return what;
}

function trace(script: Script, key: string, tickets: readonly SeenTicket[], log: readonly Passage[]): string[] {
  const found = script.runs.flatMap(({ runId, sendings, byHand }) => [
    ...sendings
      .filter(({ finding }) => finding.key === key)
      .map(({ finding, isStanding }) => `${runId}: ${finding.state}${isStanding ? ', standing' : ''}`),
    ...byHand.filter(deed => deed.key === key).map(({ status }) => `${runId}: set ${status} by hand`),
  ]);
  const names = new RegExp(`"${key}"|'${key}'|/ticket/(${tickets.map(({ id }) => id).join('|') || 'none'})\\b`);
  const requests = log.filter(({ path, body }) => names.test(path) || names.test(decodeForm(body))).map(describe);
  return [...found, ...requests];
}

function describe(passage: Passage): string {
  const { number, method, path, body, fault, receivedAt, forwardedAt, answeredAt, status, repliedAt, lostAt } = passage;
  const at = (name: string, time: number | null): string =>
    time === null ? '' : ` ${name} ${(time / 1000).toFixed(3)}`;
  const times = [
    at('received', receivedAt) + at('forwarded', forwardedAt) + at('answered', answeredAt),
    at('replied', repliedAt) + at('lost', lostAt),
  ];
  const what = markersOf(body)[0] ?? (method === 'PUT' ? body : '');
  return `#${number} ${method} ${path} ${what} ${fault ?? 'pass'} ${status ?? ''}${times.join('')}`;
}

function decodeForm(body: string): string {
  return /^[\w.%+*-]+=/.test(body) ? decodeURIComponent(body.replace(/\+/g, ' ')) : body;
}
