import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { isAxiosError, type AxiosInstance, type AxiosProxyConfig, type AxiosResponse } from 'axios';
import { makeMatcher } from '../model/lists';
import { CertDeskError } from '../model/errors';
import type { ConnectionSettings } from './helpdesk';
import { codeOfNetworkError, codeOfStatus, helpdeskError, retryAfterMs } from './http-errors';
import { asObject, asText } from './json';
import { createLimit } from './limit';
import { createRedactor } from './redact';

/** Limit of one request, from connecting to the last byte. */
const TIMEOUT_MS = 30_000;
/** A helpdesk that answers more than this is not the one we mean. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
/** Requests at once to one helpdesk; more only make a small server slower. */
const MAX_REQUESTS = 8;
/** How much of the helpdesk's own words goes into an error text. */
const QUOTE_LENGTH = 300;

export interface HelpdeskRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the base URL, each part already encoded. */
  path: string;
  query?: Readonly<Record<string, string>>;
  json?: unknown;
  form?: Readonly<Record<string, string>>;
}

export interface HttpOptions {
  /** Name of the helpdesk for error texts. */
  label: string;
  connection: ConnectionSettings;
  /** What the API's paths start with, below the connection's URL: `/REST/2.0`. */
  apiPath: string;
  headers: Readonly<Record<string, string>>;
  /** What must never show in a text. */
  secrets: readonly string[];
  now(): Date;
  timeoutMs?: number;
}

/**
 * Requests to one helpdesk: JSON in and out, no redirects, no cookies, bounded in time, size and number.
 * Throws CertDeskError only, with texts that hold no secret and say what to do.
 */
export class HelpdeskHttp {
  /** Of the connection, without a slash at the end. */
  readonly baseUrl: string;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  private readonly client: AxiosInstance;
  private readonly limit = createLimit(MAX_REQUESTS);
  private readonly timeoutMs: number;

  constructor(private readonly options: HttpOptions) {
    const { connection } = options;
    const url = readUrl(connection.values.url ?? '');
    this.baseUrl = url.href.replace(/\/+$/, '');
    this.redact = createRedactor([
      ...options.secrets,
      connection.proxy?.password ?? '',
      connection.tls?.passphrase ?? '',
    ]);
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.client = axios.create({
      baseURL: this.baseUrl + options.apiPath,
      // Axios's own name would do; one with "Mozilla" makes some helpdesks answer with login pages.
      headers: { Accept: 'application/json', 'User-Agent': 'CertDesk', ...options.headers },
      proxy: proxyFor(url, connection.proxy),
      // A kept connection that the server just closed makes a create fail in a way nobody can tell from a lost one.
      httpAgent: new HttpAgent({ keepAlive: false }),
      httpsAgent: new HttpsAgent({ keepAlive: false, ...connection.tls }),
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      responseType: 'text',
      transformResponse: body => body as unknown,
      validateStatus: () => true,
    });
  }

  /** The parsed JSON of a 2xx answer; undefined when it has no body. */
  async request(request: HelpdeskRequest): Promise<unknown> {
    const answer = await this.limit(() => this.send(request));
    const what = `${this.options.label} answered ${answer.status} to ${request.method} ${request.path}`;
    const type = String(answer.headers['content-type'] ?? '');
    const body = typeof answer.data === 'string' ? answer.data : '';
    if (answer.status < 200 || answer.status >= 300) throw this.refusal(what, answer, body, type);
    if (body.trim() === '') return undefined;
    if (!/\bjson\b/i.test(type)) throw helpdeskError('PROTOCOL', `${what} with ${type || 'no type'} instead of JSON.`);
    try {
      return JSON.parse(body) as unknown;
    } catch {
      // The server meant JSON: what arrived is a part of it, and whole the next time.
      throw helpdeskError('UNREACHABLE', `${what} with JSON that was cut off.`);
    }
  }

  private async send(request: HelpdeskRequest): Promise<AxiosResponse<unknown>> {
    try {
      return await this.client.request<unknown>({
        method: request.method,
        url: request.path,
        params: request.query,
        data: request.form === undefined ? request.json : new URLSearchParams(request.form).toString(),
        headers: this.contentType(request),
        signal: AbortSignal.timeout(this.timeoutMs),
      });
    } catch (error) {
      throw this.networkError(request, error);
    }
  }

  private contentType(request: HelpdeskRequest): Record<string, string> {
    if (request.form !== undefined) return { 'Content-Type': 'application/x-www-form-urlencoded' };
    return request.json === undefined ? {} : { 'Content-Type': 'application/json' };
  }

  private refusal(what: string, answer: AxiosResponse<unknown>, body: string, type: string): CertDeskError {
    const code = codeOfStatus(answer.status);
    const location = code === 'PROTOCOL' ? ` and sends on to ${originOf(answer.headers.location)}` : '';
    const words = /\bjson\b|text\/plain/i.test(type) ? this.quote(body) : '';
    const wait = retryAfterMs(answer.headers['retry-after'], this.options.now());
    return helpdeskError(code, `${what}${location}${words === '' ? '.' : `: ${words}.`}`, {
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }

  /** Others' words, on one line and without secrets. */
  private quote(words: string): string {
    const line = this.redact(words)
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .trim();
    return line.length > QUOTE_LENGTH ? `${line.slice(0, QUOTE_LENGTH)}…` : line.replace(/\.$/, '');
  }

  /** Axios puts the whole request into its errors, headers with the token included: only texts go on. */
  private networkError(request: HelpdeskRequest, error: unknown): CertDeskError {
    const native = isAxiosError(error) ? (error.code ?? '') : asText(asObject(error).code);
    const text = this.quote(error instanceof Error ? error.message : String(error));
    const what = `${this.options.label} at ${this.baseUrl}: ${request.method} ${request.path}`;
    if (/maxContentLength/.test(text)) return helpdeskError('PROTOCOL', `${what} answered more than 10 MiB.`);
    const code = codeOfNetworkError(native);
    const reason = code === 'TIMEOUT' ? `no answer within ${this.timeoutMs / 1000} s` : text || native;
    return helpdeskError(code, `${what} failed (${reason}).`, { cause: new Error(`${native} ${text}`.trim()) });
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CertDeskError('CONFIG', 'The URL of the connection must start with https:// or http://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new CertDeskError('CONFIG', 'Put user name and password into their own fields, not into the URL.');
  }
  return new URL(url.pathname, url.origin);
}

function proxyFor(url: URL, proxy: ConnectionSettings['proxy']): AxiosProxyConfig | false {
  if (proxy === undefined || proxy.url === '') return false;
  if (makeMatcher(proxy.noproxy.map(entry => entry.replace(/^\./, '*.')))(url.hostname)) return false;
  if (!URL.canParse(proxy.url)) throw new CertDeskError('CONFIG', 'The URL of the proxy is not one.');
  const { protocol, hostname, port } = new URL(proxy.url);
  return {
    protocol,
    host: hostname,
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    ...(proxy.username ? { auth: { username: proxy.username, password: proxy.password ?? '' } } : {}),
  };
}

/** Of a redirect's target only the origin: the rest may hold a session. */
function originOf(location: unknown): string {
  return typeof location === 'string' && URL.canParse(location) ? new URL(location).origin : 'another page';
}
