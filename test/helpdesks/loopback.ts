import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export type Answer = (request: Seen, response: ServerResponse) => void;

/** A server on a free port of 127.0.0.1 that answers as told and remembers what it was asked. */
export class Loopback {
  readonly seen: Seen[] = [];
  answer: Answer = (_, response) => json(response, 200, {});

  private constructor(
    private readonly server: Server,
    private readonly scheme: string,
  ) {}

  static async start(tls?: ServerOptions): Promise<Loopback> {
    const listener: RequestListener = (request, response) => {
      void text(request).then(
        body => {
          const { method = '', url = '', headers } = request;
          const seen = { method, url, headers, body };
          loopback.seen.push(seen);
          loopback.answer(seen, response);
        },
        () => response.destroy(), // the other side went away
      );
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    const loopback = new Loopback(server, tls === undefined ? 'http' : 'https');
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return loopback;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }
}

export function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(value));
}
