import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Connection } from '../../lib/scan/connection';
import { RecordSource } from '../../lib/scan/handshake';
import { RecordReader } from '../../lib/scan/wire/records';
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

  describe('records off it', () => {
    /** Sends one of `pieces` after the other again and again, as long as the client is there. */
    async function dripping(...pieces: Buffer[]): Promise<RecordSource> {
      const connection = await connectTo(client => {
        let count = 0;
        client.write('!');
        const drip = setInterval(() => client.write(pieces[count++ % pieces.length] ?? '!'), 20);
        client.on('close', () => clearInterval(drip));
      }, 5000);
      assert.equal(await connection.ask(Buffer.from('?'), () => true), null);
      return new RecordSource(connection, new RecordReader());
    }
    /** The life of the connection is what would end it else. */
    const isLongBefore = (began: number): boolean => performance.now() - began < 4000;

    it('are not waited for longer than said while one comes byte by byte', async () => {
      const source = await dripping(Buffer.from([22]), Buffer.from([3]), Buffer.from([3]));
      const began = performance.now();
      assert.equal(await source.next(performance.now() + 200), 'timeout');
      assert.ok(isLongBefore(began));
    });

    it('are not looked through longer than said while none is the right one', async () => {
      const source = await dripping(Buffer.from([21, 3, 3, 0, 2, 1, 112]));
      const began = performance.now();
      let count = 0;
      assert.equal(await source.find(() => ((count += 1) > 1000 ? 'many' : null), 200), 'timeout');
      assert.ok(count > 0);
      assert.ok(isLongBefore(began));
    });

    it('are found as soon as one is right', async () => {
      const source = await dripping(Buffer.from([21, 3, 3, 0, 2, 1, 112]), Buffer.from([21, 3, 3, 0, 2, 2, 40]));
      assert.equal(await source.find(({ content }) => (content[0] === 2 ? content[1] : null) ?? null), 40);
    });
  });
});
