import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Connection } from '../../lib/scan/connection';
import { startScripted, type LabServer } from '../lab/tls-servers';

describe('a connection', () => {
  const servers: LabServer[] = [];
  const connections: Connection[] = [];
  afterEach(async () => {
    connections.splice(0).forEach(connection => connection.end());
    await Promise.all(servers.splice(0).map(server => server.close()));
  });

  async function connectTo(answer: (client: Socket) => void, lifeMs?: number): Promise<Connection> {
    const server = await startScripted(client => client.once('data', () => answer(client)));
    servers.push(server);
    const { host, port } = server;
    const connection = new Connection({ host, port, timeoutMs: 2000, talk: null, ...(lifeMs ? { lifeMs } : {}) });
    connections.push(connection);
    return connection;
  }

  it('keeps what came for it while others read', async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map(word => connectTo(client => void client.write(word.repeat(2000)))),
    );
    assert.ok(first && second);
    // the answer is whole with its first bytes, so that they stay for `receive` with the rest
    const begin = async (connection: Connection): Promise<Buffer[]> => {
      const chunks: Buffer[] = [];
      assert.equal(await connection.ask(Buffer.from('?'), chunk => chunks.push(chunk) > 0), null);
      return chunks;
    };
    const chunks = await begin(first);
    await begin(second);
    for (const chunk of chunks) assert.equal(chunk.toString(), 'first'.repeat(2000).slice(0, chunk.length));
  });

  it('is not listened to for ever when a little comes again and again', async () => {
    let drip: NodeJS.Timeout | undefined;
    const connection = await connectTo(client => {
      drip = setInterval(() => client.write('.'), 20);
      client.on('close', () => clearInterval(drip));
    }, 300);
    assert.equal(await connection.ask(Buffer.from('?'), () => true), null);
    let received: unknown;
    do received = await connection.receive(1000);
    while (Buffer.isBuffer(received));
    assert.equal(received, 'timeout');
  });
});
