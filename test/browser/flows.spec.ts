import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareUserFolder } from '../../examples/start/user-folder';
import { findChromium } from '../lab/chromium';
import { skip } from '../support/skip';
import { Editor, type Box } from './editor';
import { NodeRed, ROOT } from './node-red';

/** In a window as small as many have, with palette and sidebar open as they are at first. */
describe('the flows that come with CertDesk, in a window of 1,280 pixels', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  let editor: Editor;

  before(async function () {
    this.timeout(900_000); // the first time it is installed
    const browser = await findChromium();
    if (typeof browser !== 'string') skip(this, `Browser tests: ${browser.skipped}`);
    nodeRed = await NodeRed.start();
    editor = await Editor.open(nodeRed.url, browser);
    await editor.page.setViewportSize({ width: 1280, height: 800 });
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });

  /** The flow that `npm start` writes into a new user folder. */
  async function demoFlow(): Promise<unknown[]> {
    const folder = await mkdtemp(join(tmpdir(), 'certdesk-flow-'));
    try {
      prepareUserFolder(ROOT, folder);
      return JSON.parse(await readFile(join(folder, 'flows.json'), 'utf8')) as unknown[];
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  for (const [name, count, show] of [
    ['01 - Getting started', 12, () => showExample('01 - Getting started', 'certdesk-ticket-local')],
    ['02 - Request Tracker', 13, () => showExample('02 - Request Tracker', 'certdesk-ticket-request-tracker')],
    ['the demo of npm start', 12, async () => editor.importFlow(await demoFlow())],
  ] as const) {
    it(`show every node whole and apart: ${name}`, async () => {
      await show();
      await takePicture(name);
      const { sheet, nodes } = await editor.boxes();
      assert.equal(nodes.length, count);
      assert.deepEqual(nodes.filter(node => !isInside(node, sheet)).map(described), []);
      const pairs = nodes.flatMap((node, index) => nodes.slice(index + 1).map(other => [node, other] as const));
      assert.deepEqual(
        pairs.filter(([one, other]) => overlap(one, other)).map(pair => pair.map(described)),
        [],
      );
    });
  }

  async function showExample(title: string, type: string): Promise<void> {
    await editor.importExample(title);
    await editor.showSheetOf(await editor.node(type));
  }

  /** For whoever changes a flow and wants to see it. */
  async function takePicture(name: string): Promise<void> {
    const folder = process.env['CERTDESK_FLOW_PICTURES'];
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await editor.page.screenshot({ path: join(folder, `${name}.png`) });
  }
});

function isInside(node: Box, sheet: Box): boolean {
  return node.left >= sheet.left && node.right <= sheet.right && node.top >= sheet.top && node.bottom <= sheet.bottom;
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function described({ label, left, right, top, bottom }: Box): string {
  return `${label}: ${[left, right].map(Math.round).join('-')} x ${[top, bottom].map(Math.round).join('-')}`;
}
