import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../support/wait';

export const ROOT = join(__dirname, '..', '..');
const PACKAGE = join('@certdesk', 'node-red-certdesk');

/** A Node-RED in a process of its own, with a new user folder in which the built package is installed. */
export class NodeRed {
  private constructor(
    readonly url: string,
    readonly userDir: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<NodeRed> {
    const userDir = await mkdtemp(join(tmpdir(), 'certdesk-editor-'));
    const port = await freePort();
    await installPackage(join(userDir, 'node_modules', PACKAGE));
    await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'user-folder', private: true }));
    await writeFile(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings(port))};`);
    const child = spawn(
      process.execPath,
      [require.resolve('node-red/red.js'), '-u', userDir, '-s', join(userDir, 'settings.js')],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const nodeRed = new NodeRed(`http://127.0.0.1:${port}/`, userDir, child);
    await waitFor(
      () => /Started flows/.test(log) || child.exitCode !== null,
      60_000,
      () => `Node-RED: ${log}`,
    );
    await waitFor(
      async () => (await fetch(`${nodeRed.url}settings`)).ok,
      10_000,
      () => `the editor: ${log}`,
    );
    return nodeRed;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const exited = new Promise(resolve => this.child.once('exit', resolve));
      this.child.kill('SIGTERM');
      await exited;
    }
    await rm(this.userDir, { recursive: true, force: true });
  }
}

/** Without the telemetry entry a question covers the editor; without the others it looks things up on the internet. */
function settings(port: number): object {
  return {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: 'a secret of this test',
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { autoInstall: false, palette: { allowInstall: false }, modules: { allowInstall: false } },
    editorTheme: {
      tours: false,
      projects: { enabled: false },
      palette: { catalogues: [] },
      codeEditor: { lib: 'ace' },
    },
  };
}

/** The package as npm would install it, its code being the checkout's build. */
async function installPackage(folder: string): Promise<void> {
  await mkdir(join(folder, 'examples'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await symlink(join(ROOT, 'dist'), join(folder, 'dist'), 'junction');
  for (const name of await readdir(join(ROOT, 'examples'))) {
    if (name.endsWith('.json')) await cp(join(ROOT, 'examples', name), join(folder, 'examples', name));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
