import type { NodeAPI } from 'node-red';
import type { Request, Response } from 'express';
import { asCertDeskError, CertDeskError, type ErrorCode } from '../../lib/model/errors';
import { TICKET_STATUSES, type TicketStatus } from '../../lib/model/ticket';
import type { PageQuery, Repository } from '../../lib/repository/repository';
import { setLocalStatus } from '../../lib/tickets/local-status';
import { readLocalTicket } from '../../lib/tickets/local-ticket';
import { retryEverywhere } from './desks';
import { openedRepository } from './repositories';

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = { NOT_FOUND: 404, INVALID: 400, BAD_MESSAGE: 400 };

/** `GET /certdesk/:repository/certificates | /tickets | /runs`; one ticket to read, and what may be done to it by hand. */
export function registerAdminRoutes(RED: NodeAPI): void {
  const read = RED.auth.needsPermission('certdesk.read');
  const write = RED.auth.needsPermission('certdesk.write');
  const route =
    (act: (repository: Repository, request: Request) => Promise<unknown>) => (request: Request, response: Response) => {
      repositoryOf(RED, request)
        .then(repository => act(repository, request))
        .then(
          answer => response.json(answer),
          (error: unknown) => sendError(response, error),
        );
    };
  RED.httpAdmin.get(
    '/certdesk/:repository/certificates',
    read,
    route((r, q) => r.certificatePage(pageQuery(q))),
  );
  RED.httpAdmin.get(
    '/certdesk/:repository/tickets',
    read,
    route((r, q) => r.ticketPage(pageQuery(q))),
  );
  RED.httpAdmin.get(
    '/certdesk/:repository/runs',
    read,
    route((r, q) => r.runPage(pageQuery(q))),
  );
  RED.httpAdmin.get(
    '/certdesk/:repository/tickets/:key',
    read,
    route((r, q) => readLocalTicket(r, String(q.params['key']))),
  );
  RED.httpAdmin.post(
    '/certdesk/:repository/tickets/:key/retry',
    write,
    route(async (repository, request) => ({
      retried: await retryEverywhere(repository, String(request.params['key'])),
    })),
  );
  RED.httpAdmin.post(
    '/certdesk/:repository/tickets/:key/status',
    write,
    route((repository, request) =>
      setLocalStatus(repository, String(request.params['key']), readStatus(request), new Date()),
    ),
  );
}

/** What went wrong, with the code and text of the contract. */
export function sendError(response: Response, thrown: unknown): void {
  const error = asCertDeskError(thrown, 'REPOSITORY');
  response.status(HTTP_STATUS[error.code] ?? 500).json({ code: error.code, message: error.message });
}

/** The repository that a path names. @throws CertDeskError `NOT_FOUND` */
export async function repositoryOf(RED: NodeAPI, request: Request): Promise<Repository> {
  const opened = openedRepository(RED, String(request.params['repository']));
  if (opened === null) {
    throw new CertDeskError(
      'NOT_FOUND',
      'No deployed node uses a repository of that id. Use `default` or a config node id.',
    );
  }
  return opened;
}

function pageQuery(request: Request): PageQuery {
  const { limit, after } = request.query;
  const asked = Number(limit);
  if (limit !== undefined && !(Number.isInteger(asked) && asked >= 1)) {
    throw new CertDeskError('INVALID', 'limit is a whole number from 1 to 1000.');
  }
  return { ...(limit === undefined ? {} : { limit: asked }), ...(typeof after === 'string' ? { after } : {}) };
}

function readStatus(request: Request): TicketStatus {
  const status: unknown = (request.body as { status?: unknown } | undefined)?.status;
  const found = TICKET_STATUSES.find(candidate => candidate === status);
  if (found === undefined) throw new CertDeskError('INVALID', `status is one of ${TICKET_STATUSES.join(', ')}.`);
  return found;
}
