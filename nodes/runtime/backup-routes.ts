import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import type { Repository } from '../../lib/repository/repository';
import { repositoryOf, sendError } from './admin-routes';

/** `GET /certdesk/:repository/export` and `POST /certdesk/:repository/restore`, as docs/backup.md tells them. */
export function registerBackupRoutes(RED: NodeAPI): void {
  const route =
    (act: (repository: Repository, request: Request, response: Response) => Promise<void>) =>
    (request: Request, response: Response): void => {
      repositoryOf(RED, request)
        .then(repository => act(repository, request, response))
        // Half a download shows as one: the connection breaks.
        .catch((error: unknown) => (response.headersSent ? response.destroy() : sendError(response, error)));
    };
  RED.httpAdmin.get(
    '/certdesk/:repository/export',
    RED.auth.needsPermission('certdesk.read'),
    route(async (repository, _request, response) => {
      response.attachment('certdesk-repository.jsonl').type('application/x-ndjson');
      await pipeline(Readable.from(withLineEnds(repository.export())), response);
    }),
  );
  RED.httpAdmin.post(
    '/certdesk/:repository/restore',
    RED.auth.needsPermission('certdesk.write'),
    route(async (repository, request, response) => {
      response.json({ rows: await restore(repository, request) });
    }),
  );
}

/** By way of a file: the repository is held while it is written, and no network is waited for then. */
async function restore(repository: Repository, request: Request): Promise<number> {
  const file = join(tmpdir(), `certdesk-restore-${randomUUID()}`);
  try {
    await pipeline(request, createWriteStream(file, { mode: 0o600 }));
    return await repository.restore(createInterface({ input: createReadStream(file), crlfDelay: Infinity }));
  } finally {
    await rm(file, { force: true });
  }
}

async function* withLineEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
