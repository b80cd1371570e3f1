import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TicketRecord } from '../../lib/model/ticket';
import { findChromium } from '../lab/chromium';
import { startWeak, type LabTlsServer } from '../lab/tls-servers';
import { inDays, labCa } from '../support/lab-ca';
import { waitFor } from '../support/wait';
import { skip } from '../support/skip';
import { Editor, type ShownNode } from './editor';
import { NodeRed, ROOT } from './node-red';

const LABELS = ['SSL Scan', 'Expiry Check', 'Notification Policy', 'Local ticket', 'Request Tracker ticket'];
const TOKEN = '1-14-0123456789abcdef0123456789abcdef';

describe('the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  let editor: Editor;
  let server: LabTlsServer;

  before(async function () {
    this.timeout(900_000); // the first time it is installed
    const browser = await findChromium();
    if (typeof browser !== 'string') skip(this, `Browser tests: ${browser.skipped}`);
    nodeRed = await NodeRed.start();
    const ca = await labCa(nodeRed.userDir);
    const certificate = await ca.issue({
      commonName: 'localhost',
      dns: ['localhost'],
      keyType: 'rsa2048',
      notAfter: inDays(5),
    });
    server = await startWeak(certificate);
    editor = await Editor.open(nodeRed.url, browser);
  });
  after(async () => {
    await editor?.close();
    await server?.close();
    await nodeRed?.stop();
  });
  afterEach(() => {
    assert.deepEqual(editor.problems.splice(0), []);
  });

  it('shows each node in the palette, with its icon', async () => {
    const category = editor.page.locator('#red-ui-palette-certdesk');
    const labels = await category.locator('.red-ui-palette-label').allTextContents();
    assert.deepEqual(labels.map(label => label.replace(/\s+/g, ' ')).sort(), LABELS.toSorted());
    for (const icon of await category.locator('.red-ui-palette-icon').all()) {
      const url = /url\("?([^")]+)"?\)/.exec((await icon.getAttribute('style')) ?? '')?.[1] ?? '';
      assert.match(url, /certdesk-[a-z-]+\.svg$/);
      assert.equal((await editor.page.request.get(new URL(url, nodeRed.url).href)).status(), 200);
    }
  });

  it('imports both examples, each node valid but for the token', async () => {
    await editor.importExample('01 - Getting started');
    await editor.importExample('02 - Request Tracker');
    const nodes = await editor.nodes();
    assert.deepEqual(nodes.map(node => node.type).sort(), [
      'certdesk-expiry-check',
      'certdesk-expiry-check',
      'certdesk-helpdesk-request-tracker',
      'certdesk-notification-policy',
      'certdesk-notification-policy',
      'certdesk-ssl-scan',
      'certdesk-ssl-scan',
      'certdesk-ticket-local',
      'certdesk-ticket-request-tracker',
    ]);
    assert.deepEqual(
      nodes.filter(node => !node.valid).map(node => [node.type, node.errors]),
      [],
    );
  });

  it('opens each dialog with its texts and labels, and closing it changes nothing', async () => {
    for (const before of await editor.nodes()) {
      await editor.openDialog(before);
      const tray = editor.page.locator('.red-ui-tray').last();
      await assertTexts(await tray.innerText(), before.type);
      await assertLabels(before);
      await editor.confirmDialog(before);
      const after = (await editor.nodes()).find(node => node.id === before.id);
      assert.deepEqual(after?.properties, before.properties, before.type);
      assert.ok(after.valid, before.type);
    }
  });

  it('says in the dialog what is wrong with an entry', async () => {
    const scan = await editor.node('certdesk-ssl-scan');
    await editor.openDialog(scan);
    await editor.page.fill('#node-input-targets', 'shop.example\nno host\n');
    await editor.page.fill('#node-input-perHost', 'many');
    await editor.page.fill('#node-input-checks', 'rc4, heartbleeding');
    await editor.page.press('#node-input-checks', 'Tab');
    for (const name of ['targets', 'perHost', 'checks']) {
      await editor.page.locator(`#node-input-${name}.input-error`).waitFor();
    }
    await editor.page.fill('#node-input-perHost', '${PER_HOST}');
    await editor.page.press('#node-input-perHost', 'Tab');
    await editor.page.locator('#node-input-perHost:not(.input-error)').waitFor();
    await editor.page.fill('#node-input-perHost', 'many');
    await editor.confirmDialog(scan);
    const { errors } = await editor.node('certdesk-ssl-scan');
    assert.equal(errors.length, 3);
    assert.match(errors.join('\n'), /line 2, "no host"/);
    assert.match(errors.join('\n'), /per host: a number from 1 to 100/);
    assert.match(errors.join('\n'), /"heartbleeding" is no check id/);
    await editor.openDialog(scan);
    await editor.page.fill('#node-input-targets', `localhost@127.0.0.1:${server.port}`);
    await editor.page.fill('#node-input-perHost', '4');
    await editor.page.fill('#node-input-checks', '');
    await editor.confirmDialog(scan);
    assert.deepEqual((await editor.node('certdesk-ssl-scan')).errors, []);
  });

  it('shows the targets of a scan that was written without a source', async () => {
    const scan = await editor.node('certdesk-ssl-scan');
    await editor.forget(scan, 'source');
    await editor.openDialog(scan);
    assert.equal(await editor.page.locator('#node-input-targets').isVisible(), true);
    assert.equal(await editor.page.locator('#node-input-source').inputValue(), 'targets');
    await editor.confirmDialog(scan);
    assert.deepEqual((await editor.node('certdesk-ssl-scan')).properties, scan.properties);
  });

  it('shows a frequency in days, and keeps it', async () => {
    const policy = await editor.node('certdesk-notification-policy');
    const input = editor.page.locator('#node-input-frequency ~ .red-ui-typedInput-container');
    await editor.openDialog(policy);
    await input.locator('.red-ui-typedInput-type-select').click();
    await editor.page.locator('.red-ui-typedInput-options:visible').getByText('again after days').click();
    await input.locator('.red-ui-typedInput-input').fill('10');
    await editor.confirmDialog(policy);
    assert.equal((await editor.node('certdesk-notification-policy')).properties['frequency'], '10');
    await editor.openDialog(policy);
    assert.equal(await input.locator('.red-ui-typedInput-input').inputValue(), '10');
    await editor.confirmDialog(policy);
  });

  it('shows the help of every node', async () => {
    for (const node of await editor.nodes()) {
      await editor.invoke('core:show-help-tab');
      await editor.page.evaluate(type => {
        const { RED } = globalThis as unknown as { RED: { sidebar: { help: { show(type: string): void } } } };
        RED.sidebar.help.show(type);
      }, node.type);
      const help = editor.page.locator('.red-ui-help');
      await help.locator('h3', { hasText: 'Details' }).waitFor();
      const headings = await help.locator('h3').allTextContents();
      assert.deepEqual(headings, ['Inputs', 'Outputs', 'Details', 'References'], node.type);
    }
  });

  it('deploys, keeps the token out of the flow file, and shows the status', async () => {
    const connection = await editor.node('certdesk-helpdesk-request-tracker');
    await editor.openDialog(connection);
    await editor.page.fill('#node-config-input-token', TOKEN);
    await editor.confirmDialog(connection);
    assert.ok([200, 204].includes(await editor.deploy()));
    const flows = await readFile(join(nodeRed.userDir, 'flows.json'), 'utf8');
    assert.match(flows, /certdesk-helpdesk-request-tracker/);
    assert.doesNotMatch(flows, new RegExp(TOKEN));
    assert.ok(existsSync(join(nodeRed.userDir, 'flows_cred.json')));
    await editor.showSheetOf(await editor.node('certdesk-ssl-scan'));
    await waitFor(
      async () => (await editor.statusTexts()).includes('1/1'),
      30_000,
      () => 'the scan to be done',
    );
    assert.ok((await editor.statusTexts()).every(text => !/^[a-z-]+\.status\./.test(text)));
  });

  it('lists certificates and tickets in the sidebar, and resolves a ticket there', async () => {
    await waitFor(
      async () => (await tickets()).length === 2,
      20_000,
      () => 'two tickets',
    );
    await openSidebar();
    const sidebar = editor.page.locator('.certdesk-sidebar');
    await sidebar.getByText('Tickets (2)').waitFor();
    await sidebar.getByText('Certificates (1)').waitFor();
    await sidebar.getByText('5 d left').waitFor();
    const item = sidebar.locator('.certdesk-sidebar-item', { hasText: 'SSL Certificate localhost expiry' });
    const saved = editor.page.waitForResponse(response => response.url().endsWith('/status'));
    await item.locator('select').selectOption('Resolved');
    assert.equal((await saved).status(), 200);
    const resolved = (await tickets()).find(ticket => ticket.kind === 'expiry');
    assert.equal(resolved?.status, 'Resolved');
  });

  it('unfolds the text and notes of a local ticket by keyboard, and folds them again', async () => {
    const sidebar = editor.page.locator('.certdesk-sidebar');
    const fold = sidebar.getByRole('button', { name: 'SSL Certificate localhost expiry' });
    const text = sidebar.locator('.certdesk-sidebar-text').first();
    await fold.press('Enter');
    await text.waitFor();
    assert.match(await text.innerText(), /localhost/);
    assert.equal(await fold.getAttribute('aria-expanded'), 'true');
    await fold.press('Space');
    await text.waitFor({ state: 'detached' });
    assert.equal(await fold.getAttribute('aria-expanded'), 'false');
  });

  it('refreshes the sidebar by itself after a run, with what was unfolded', async () => {
    const sidebar = editor.page.locator('.certdesk-sidebar');
    const item = sidebar.locator('.certdesk-sidebar-item', { hasText: 'SSL Certificate localhost expiry' });
    const fold = item.getByRole('button');
    await fold.press('Enter');
    const [ticket] = (await tickets()).filter(({ kind }) => kind === 'expiry');
    await fetch(`${nodeRed.url}certdesk/default/tickets/${ticket?.key}/status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ status: 'On Hold' }),
    });
    const start = await editor.injectBefore('certdesk-ssl-scan');
    assert.equal((await fetch(`${nodeRed.url}inject/${start}`, { method: 'POST' })).status, 200);
    await waitFor(
      async () => (await item.locator('select').inputValue()) === 'On Hold',
      20_000,
      () => 'the sidebar to show what is new',
    );
    await item.locator('.certdesk-sidebar-text').first().waitFor();
    assert.equal(await fold.evaluate(button => button.matches(':focus')), true);
  });

  const picture = process.env['CERTDESK_PICTURES'] === '1' ? it : () => {};
  picture('has its picture taken for the README, light and (Node-RED 5) dark', async () => {
    const folder = join(ROOT, 'docs', 'images');
    await mkdir(folder, { recursive: true });
    await editor.page.locator('#red-ui-palette-search input').pressSequentially('certdesk');
    await editor.page.locator('#red-ui-palette-container-common').waitFor({ state: 'hidden' });
    await editor.page.locator('.red-ui-notification').first().waitFor({ state: 'detached' });
    await editor.showSheetOf(await editor.node('certdesk-ssl-scan'));
    for (const theme of (await editor.hasDarkTheme()) ? ['light', 'dark'] : ['light']) {
      await editor.page.evaluate(name => {
        const { document } = globalThis as unknown as {
          document: { documentElement: { classList: { toggle(name: string, on: boolean): void } } };
        };
        document.documentElement.classList.toggle('nr-theme-dark', name === 'dark');
      }, theme);
      const suffix = theme === 'dark' ? '-dark' : '';
      await openSidebar();
      await editor.page.screenshot({ path: join(folder, `flow${suffix}.png`) });
      const scan = await editor.node('certdesk-ssl-scan');
      await editor.openDialog(scan);
      await editor.page
        .locator('.red-ui-tray')
        .last()
        .screenshot({ path: join(folder, `ssl-scan${suffix}.png`) });
      await editor.cancelDialog(scan);
    }
  });

  /** The runtime's word, for what the sidebar shows. */
  async function tickets(): Promise<TicketRecord[]> {
    const response = await fetch(`${nodeRed.url}certdesk/default/tickets`);
    return response.ok ? ((await response.json()) as { items: TicketRecord[] }).items : [];
  }

  async function openSidebar(): Promise<void> {
    await editor.page.evaluate(() => {
      const { RED } = globalThis as unknown as { RED: { sidebar: { show(id: string): void } } };
      RED.sidebar.show('certdesk-sidebar');
    });
    await editor.page.locator('.certdesk-sidebar-item').first().waitFor();
  }

  /** A key of a catalogue that shows through is a text that is missing. */
  async function assertTexts(text: string, type: string): Promise<void> {
    assert.doesNotMatch(text, /\b(ssl-scan|expiry-check|notification-policy|repository|ticket)\.[a-z]/, type);
  }

  /** Every input of the dialog has a label of its own. */
  async function assertLabels(node: ShownNode): Promise<void> {
    const prefix = node.isConfig ? 'node-config-input-' : 'node-input-';
    const form = editor.page.locator('.red-ui-tray').last();
    for (const name of ['name', ...Object.keys(node.properties)]) {
      if ((await form.locator(`#${prefix}${name}`).count()) === 0) continue;
      assert.equal(await form.locator(`label[for="${prefix}${name}"]`).count(), 1, `${node.type} ${name}`);
    }
  }
});
