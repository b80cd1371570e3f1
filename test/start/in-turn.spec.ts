import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inTurn } from '../../examples/start/in-turn';

describe('editor and nodes at one root', () => {
  type Editor = Parameters<typeof inTurn>[0];
  /** Asks for `path` of an editor that knows `/` alone, and of nodes that answer everything. */
  async function ask(path: string, editor: Editor): Promise<{ status: number; text: string }> {
    const nodes: RequestListener = (request, response) => response.end(`nodes ${request.url}`);
    const server = createServer(inTurn(editor, nodes)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  const knowsRoot: Editor = (request, response, next) => (request.url === '/' ? response.end('editor') : next?.());

  it('ask the nodes only where the editor has no answer', async () => {
    assert.deepEqual(await ask('/', knowsRoot), { status: 200, text: 'editor' });
    assert.deepEqual(await ask('/hook', knowsRoot), { status: 200, text: 'nodes /hook' });
  });

  it('answer an error of the editor with its status, and ask no node then', async () => {
    const fails: Editor = (_request, _response, next) => next?.(Object.assign(new URIError(), { status: 400 }));
    assert.deepEqual(await ask('/hook', fails), { status: 400, text: '' });
  });

  it('answer an error without a status with 500', async () => {
    const fails: Editor = (_request, _response, next) => next?.(new Error());
    assert.equal((await ask('/hook', fails)).status, 500);
  });

  it('cut an answer that an error ended half-way', async () => {
    const fails: Editor = (_request, response, next) => {
      response.write('half', () => next?.(new Error()));
    };
    await assert.rejects(ask('/hook', fails));
  });
});
