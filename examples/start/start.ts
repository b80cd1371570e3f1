import { createServer } from 'node:http';
import { join } from 'node:path';
import { CertDeskError } from '../../lib/model/errors';
import { parseTargets } from '../../lib/scan/targets/parse';
import { startDemoServers } from './servers';
import { prepareUserFolder } from './user-folder';
import { tellFirstRun } from './first-run';
import { inTurn } from './in-turn';

/**
 * `npm start`: Node-RED on 127.0.0.1 with the first example flow, its own user folder inside the checkout, and three
 * TLS servers to look at (or, with CERTDESK_TARGETS, the servers named there).
 */
async function start(): Promise<void> {
  const root = join(__dirname, '..', '..', '..');
  const userDir = process.env['CERTDESK_USER_DIR'] ?? join(root, '.certdesk');
  const port = readPort();
  // Blanks part targets here; a list of ports (host:443,8443) keeps its comma.
  const own = (process.env['CERTDESK_TARGETS'] ?? '').split(/\s+/).filter(target => target !== '');
  if (own.length > 0) parseTargets(own);

  const demo = own.length > 0 ? null : await startDemoServers(join(userDir, 'demo'));
  // The flow names both as environment variables, so that it need not be changed where a port or a target does.
  process.env['CERTDESK_TARGETS'] = (demo === null ? own : demo.servers.map(server => server.target)).join('\n');
  process.env['CERTDESK_CA'] = demo?.caFile ?? '';

  const RED = (await import('node-red')).default;
  const server = createServer();
  const startedAt = new Date();

  let isStarted = false;
  let ending: Promise<void> | null = null;
  const end = (code: number): void => {
    ending ??= (async () => {
      if (isStarted) await RED.stop();
      server.closeAllConnections();
      server.close();
      await Promise.all((demo?.servers ?? []).map(each => each.close()));
    })().finally(() => process.exit(code));
  };
  process.on('SIGINT', () => end(0));
  process.on('SIGTERM', () => end(0));

  server.once('error', (error: NodeJS.ErrnoException) => {
    const taken =
      error.code === 'EADDRINUSE' ? `Port ${port} is in use. Choose another: PORT=1881 npm start` : error.message;
    console.error(`CertDesk: ${taken}`);
    end(1);
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const { port: listening } = server.address() as { port: number };
  const url = `http://127.0.0.1:${listening}/`;
  RED.init(server, { ...prepareUserFolder(root, userDir), uiHost: '127.0.0.1', uiPort: listening });
  server.on('request', inTurn(RED.httpAdmin, RED.httpNode));
  isStarted = true;
  await RED.start();
  console.log(`Node-RED is up on ${url}; scanning ${own.join(' ') || 'three demo servers of this machine'} …`);
  await tellFirstRun(url, startedAt, line => console.log(line));
}

function readPort(): number {
  const text = process.env['PORT'] ?? '1880';
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new CertDeskError('CONFIG', `PORT "${text}" is no port. Write it like PORT=1881 npm start.`);
}

start().catch((error: unknown) => {
  if (error instanceof CertDeskError && error.code === 'BAD_TARGET') {
    console.error(`CertDesk: CERTDESK_TARGETS, counting its targets as lines: ${error.message}`);
  } else if (error instanceof CertDeskError) console.error(`CertDesk: ${error.message}`);
  else console.error('CertDesk:', error);
  process.exit(1);
});
