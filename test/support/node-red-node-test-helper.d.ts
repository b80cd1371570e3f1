/** The part of node-red-node-test-helper that the tests use; the package has no types of its own. */
declare module 'node-red-node-test-helper' {
  import type { EventEmitter } from 'node:events';

  interface HttpResponse {
    status: number;
    body: unknown;
    text: string;
  }
  interface HttpRequest extends PromiseLike<HttpResponse> {
    send(body: object | string): HttpRequest;
    type(contentType: string): HttpRequest;
    /** Keeps the text of an answer of any type. */
    buffer(isKept: boolean): HttpRequest;
  }
  interface Helper {
    init(runtimePath: string): void;
    settings(settings: object): void;
    startServer(done: () => void): void;
    stopServer(done: () => void): void;
    load(nodes: unknown, flow: unknown, credentials?: unknown): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): EventEmitter;
    request(): Record<'get' | 'post', (path: string) => HttpRequest>;
  }
  const helper: Helper;
  export default helper;
}
