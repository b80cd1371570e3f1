import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import RED from 'node-red';
import type { Report } from './flow-nodes';

/** A whole Node-RED on a free port of 127.0.0.1, without its editor; its user folder is the first argument. */
async function start(userDir: string): Promise<void> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  RED.init(server, {
    ...{ userDir, uiHost: '127.0.0.1', uiPort: port, flowFile: 'flows.json', httpAdminRoot: '/', httpNodeRoot: '/' },
    ...{ credentialSecret: false, disableEditor: true, telemetry: { enabled: false, updateNotification: false } },
    externalModules: { autoInstall: false, palette: { allowInstall: false }, modules: { allowInstall: false } },
    logging: { console: { level: 'warn', metrics: false, audit: false } },
  });
  server.on('request', RED.httpAdmin);
  RED.events.once('flows:started', () => {
    const report: Report = { event: 'up', port };
    process.send?.(report);
  });
  await RED.start();
}

// Whoever started it is gone: nobody would end it.
process.on('disconnect', () => process.exit(1));
start(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
