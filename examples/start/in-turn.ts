import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** An Express application: hands on to `next` what it has no answer for, or the error that it met. */
type App = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;

/**
 * The editor first, then what the nodes of the flow answer at, as the `node-red` command mounts them at one root.
 * What neither has is 404.
 */
export function inTurn(editor: App, nodes: App): RequestListener {
  return (request, response) =>
    editor(request, response, error => {
      if (error === undefined || error === null) nodes(request, response);
      else if (response.headersSent) response.destroy();
      else response.writeHead(statusOf(error)).end();
    });
}

/** Express names the status in the errors of requests that it can't read, such as `/%E0`. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : NaN;
  return status >= 400 && status <= 599 ? status : 500;
}
