import type { Readable } from 'node:stream';
import type { AxiosResponse } from 'axios';
import { FAILURE_MS } from './limits';
import { Turns } from '../turns';

export interface DownloadOptions {
  url: string;
  /** Sent by POST where there is one. */
  post?: { type: string; body: Buffer };
  accept: string;
  maxBytes: number;
  /** Limit of each wait. */
  timeoutMs: number;
  /** Limit of the whole. */
  totalMs: number;
  signal: AbortSignal;
}

/** `reason` is half a sentence: `it answered with HTTP status 404`. */
export type Download = { kind: 'body'; body: Buffer } | { kind: 'failed'; reason: string };

/** Requests at once to one host. */
const PER_HOST = 6;
/** So many in a row, and nobody else knocks for a while. */
const FAILURES = 2;
/** For a turn. */
const MAX_WAIT_MS = 60_000;
const MAX_HOSTS = 500;
/** Bodies read at once: each may be long, and the others wait in their sockets. */
const BODIES = 4;
const MAX_REDIRECTS = 3;
const LATE = 'it did not answer in time';

interface Host {
  turns: Turns;
  failures: number;
  downUntil: number;
  reason: string;
}

const hosts = new Map<string, Host>();
const bodies = new Turns(BODIES);

/**
 * Fetches what a certificate names, as every client does that looks after revocation: without credentials, and without
 * showing the answer to anybody. Goes by the proxies of the environment (http_proxy, https_proxy, no_proxy), which
 * axios heeds by itself. Never rejects. A host that did not answer is left alone for some minutes.
 */
export async function download(options: DownloadOptions): Promise<Download> {
  const host = findHost(options.url);
  return within(MAX_WAIT_MS, options.signal, waiting =>
    host.turns.take(waiting, async () => {
      if (options.signal.aborted) return failed('the scan was stopped');
      if (waiting.aborted) return failed('too many wait for it');
      if (host.downUntil > Date.now()) return failed(`${host.reason}, so it is left alone for a while`);
      return within(options.totalMs, options.signal, signal => request(options, signal, host));
    }),
  );
}

const failed = (reason: string): Download => ({ kind: 'failed', reason });

/** Gives `work` a signal that says stop when `signal` does, and when the time is up. */
async function within<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const timer = setTimeout(end, ms);
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** `signal` is that of the whole request, its time included. */
async function request(options: DownloadOptions, signal: AbortSignal, host: Host): Promise<Download> {
  try {
    const answer = await send(options, signal);
    const result =
      answer.status === 200
        ? await bodies.take(signal, () => readBody(answer, options.maxBytes))
        : failed(`it answered with HTTP status ${answer.status}`);
    answer.data.destroy();
    host.failures = 0;
    return result;
  } catch (thrown) {
    if (options.signal.aborted) return failed('the scan was stopped');
    const reason = signal.aborted ? LATE : reasonOf(thrown);
    host.failures += 1;
    if (host.failures >= FAILURES) Object.assign(host, { downUntil: Date.now() + FAILURE_MS, reason, failures: 0 });
    return failed(reason);
  }
}

/** axios is loaded with the first request: scans of hosts inside never need one, and it costs 100 ms and 10 MB or more. */
async function send(options: DownloadOptions, signal: AbortSignal): Promise<AxiosResponse<Readable>> {
  const { default: axios } = await import('axios');
  const { url, post, accept, timeoutMs } = options;
  return axios.request<Readable>({
    url,
    method: post === undefined ? 'GET' : 'POST',
    ...(post === undefined ? {} : { data: post.body }),
    headers: {
      Accept: accept,
      'Accept-Encoding': 'identity', // and nothing is unpacked that was packed all the same
      'User-Agent': 'CertDesk',
      Connection: 'close', // no socket stays behind
      ...(post === undefined ? {} : { 'Content-Type': post.type }),
    },
    responseType: 'stream',
    decompress: false,
    maxRedirects: MAX_REDIRECTS,
    timeout: timeoutMs,
    signal,
    validateStatus: () => true,
  });
}

async function readBody({ data }: AxiosResponse<Readable>, maxBytes: number): Promise<Download> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of data as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return failed(`it answered with more than ${maxBytes} bytes`); // which ends the stream
    chunks.push(chunk);
  }
  return { kind: 'body', body: Buffer.concat(chunks, length) };
}

function reasonOf(thrown: unknown): string {
  const { code } = thrown as { code?: unknown };
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') return LATE;
  return `it cannot be reached (${typeof code === 'string' ? code : 'unknown error'})`;
}

/** Host and port of a URL, for people. */
export function hostOf(url: string): string {
  return new URL(url).host;
}

function findHost(url: string): Host {
  const name = hostOf(url);
  const host = hosts.get(name) ?? { turns: new Turns(PER_HOST), failures: 0, downUntil: 0, reason: '' };
  hosts.delete(name); // to the end: the one used last goes last
  hosts.set(name, host);
  for (const [oldest, { turns }] of hosts) {
    if (hosts.size <= MAX_HOSTS) break;
    if (turns.isIdle) hosts.delete(oldest);
  }
  return host;
}
