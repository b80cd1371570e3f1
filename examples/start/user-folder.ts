import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FLOW_FILE = 'flows.json';
const EXAMPLE = '01 - Getting started.json';

/**
 * Makes Node-RED's user folder: CertDesk as an installed package, and the first example as the flow unless there is
 * a flow already. Returns the settings to start Node-RED with.
 */
export function prepareUserFolder(root: string, userDir: string): Record<string, unknown> {
  mkdirSync(userDir, { recursive: true, mode: 0o700 });
  linkPackage(root, join(userDir, 'node_modules', '@certdesk', 'node-red-certdesk'));
  const flowFile = join(userDir, FLOW_FILE);
  if (!existsSync(flowFile)) writeFileSync(flowFile, JSON.stringify(startFlow(root), null, 2), { mode: 0o600 });
  return {
    userDir,
    flowFile: FLOW_FILE,
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    // its warnings at a first start (no credentials yet) would drown the few lines that matter
    logging: { console: { level: 'error', metrics: false, audit: false } },
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
  };
}

/** A package folder whose code is the checkout's build, as npm would install it. */
function linkPackage(root: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'examples'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'dist'), join(folder, 'dist'), 'junction');
  for (const name of readdirSync(join(root, 'examples'))) {
    if (name.endsWith('.json')) cpSync(join(root, 'examples', name), join(folder, 'examples', name));
  }
}

/** What the flow of `npm start` says instead of the example's own comment; `x` is the middle of so long a text. */
const COMMENT = {
  name: 'Three demo servers, or CERTDESK_TARGETS; press "check now" to scan again',
  x: 310,
  info:
    'The targets of SSL Scan are `${CERTDESK_TARGETS}`: what `npm start` was given, else its three demo servers, whose ' +
    'CA the TLS configuration `${CERTDESK_CA}` trusts. Both are environment variables of this one process. Replace ' +
    'the targets by your own hosts, one a line, and deploy, to keep them.\n\nTickets are in the CertDesk tab of the ' +
    'sidebar: set one to Closed there, press `check now`, and it is opened again.\n',
};

/** The first example with its targets and CA taken from the environment, as `npm start` sets them. */
function startFlow(root: string): unknown[] {
  const flow = JSON.parse(readFileSync(join(root, 'examples', EXAMPLE), 'utf8')) as Record<string, unknown>[];
  return flow.map(node => {
    if (node['type'] === 'certdesk-ssl-scan') return { ...node, targets: '${CERTDESK_TARGETS}' };
    if (node['type'] === 'comment') return { ...node, ...COMMENT };
    if (node['type'] === 'tls-config') return { ...node, ca: '${CERTDESK_CA}' };
    return node;
  });
}
