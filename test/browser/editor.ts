import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { waitFor } from '../support/wait';

/** What these tests use of the editor's own `RED` (docs: Node-RED API reference, Editor). */
interface EditorRed {
  nodes: {
    getType(type: string): object | undefined;
    node(id: string): EditorNode | null;
    eachNode(visit: (node: EditorNode) => void): void;
    eachConfig(visit: (node: EditorNode) => void): void;
    eachWorkspace(visit: (sheet: { id: string }) => void): void;
    /** Links that come in at `portType` 1. */
    getNodeLinks(id: string, portType: 1): { source: EditorNode }[];
  };
  workspaces: { show(id: string): void };
  view: { importNodes(nodes: unknown[], options: { generateIds: boolean }): void };
  editor: { edit(node: EditorNode): void; editConfig(name: string, type: string, id: string): void };
  actions: { invoke(action: string, ...args: unknown[]): void };
}
interface EditorNode {
  id: string;
  type: string;
  valid: boolean;
  validationErrors?: string[];
  _def: { category: string; defaults: Record<string, unknown> };
  [property: string]: unknown;
}

/** A node of the flow in the editor, as plain data. */
export interface ShownNode {
  id: string;
  type: string;
  isConfig: boolean;
  valid: boolean;
  errors: string[];
  properties: Record<string, unknown>;
}

/** What a node of the sheet in front takes up with its buttons, in pixels of the window. */
export interface Box {
  label: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TRAY_GONE_MS = 10_000;

/** Node-RED's editor in a browser with an empty profile. Whatever the page complains of is kept in `problems`. */
export class Editor {
  readonly problems: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly profile: string,
  ) {}

  static async open(url: string, executablePath: string): Promise<Editor> {
    const profile = await mkdtemp(join(tmpdir(), 'certdesk-browser-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: FLAGS,
      viewport: { width: 1780, height: 900 },
      locale: 'en-US',
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const editor = new Editor(page, context, profile);
    page.on('pageerror', error => editor.problems.push(`page error: ${error.message}`));
    page.on('console', message => {
      if (message.type() === 'error') editor.problems.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on('requestfailed', request => editor.problems.push(`request failed: ${request.url()}`));
    page.on('response', response => {
      if (response.status() >= 400) editor.problems.push(`${response.status()}: ${response.url()}`);
    });
    try {
      await page.goto(url);
      await page.waitForFunction(() => {
        const { RED } = globalThis as unknown as { RED?: EditorRed };
        return RED?.nodes?.getType?.('certdesk-ssl-scan') !== undefined;
      });
      await page.locator('#red-ui-palette-container').waitFor();
      return editor;
    } catch (error) {
      await editor.close(); // nobody else could
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true });
  }

  /** Imports an example of the package as a user does: menu, folder, file, button. */
  async importExample(title: string): Promise<void> {
    const dialog = this.page.locator('#red-ui-clipboard-dialog');
    const before = (await this.nodes()).length;
    await this.invoke('core:show-examples-import-dialog');
    await dialog.waitFor();
    const entry = (text: string) => dialog.locator('.red-ui-treeList-label', { hasText: text }).first();
    if (!(await entry(title).isVisible())) await entry('@certdesk/node-red-certdesk').click();
    await entry(title).click();
    await this.page.locator('#red-ui-clipboard-dialog-ok').click();
    await dialog.waitFor({ state: 'hidden' });
    // the file is fetched only now
    await waitFor(
      async () => (await this.nodes()).length > before,
      10_000,
      () => `the nodes of ${title}`,
    );
  }

  /** Imports a flow with one sheet and shows that. */
  async importFlow(nodes: unknown[]): Promise<void> {
    await this.page.evaluate(imported => {
      const { RED } = globalThis as unknown as { RED: EditorRed };
      RED.view.importNodes(imported, { generateIds: true });
      RED.nodes.eachWorkspace(({ id }) => RED.workspaces.show(id)); // the last is the new one
    }, nodes);
  }

  /** The nodes that the sheet in front shows, and the part of the window that shows it. */
  async boxes(): Promise<{ sheet: Box; nodes: Box[] }> {
    const boxOf = async (element: Locator): Promise<Box> => {
      const { x, y, width, height } = (await element.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      const label = (await element.textContent()) ?? '';
      return { label, left: x, right: x + width, top: y, bottom: y + height };
    };
    const nodes = await this.page.locator('#red-ui-workspace-chart .red-ui-flow-node-group').all();
    return {
      sheet: await boxOf(this.page.locator('#red-ui-workspace-chart')),
      nodes: await Promise.all(nodes.map(boxOf)),
    };
  }

  /** Every node of the package, and the config nodes that the flow has. */
  async nodes(): Promise<ShownNode[]> {
    return this.page.evaluate(() => {
      const { RED } = globalThis as unknown as { RED: EditorRed };
      const found: EditorNode[] = [];
      RED.nodes.eachNode(node => found.push(node));
      RED.nodes.eachConfig(node => found.push(node));
      return found
        .filter(node => node.type.startsWith('certdesk-'))
        .map(node => ({
          id: node.id,
          type: node.type,
          isConfig: node._def.category === 'config',
          valid: node.valid,
          errors: node.validationErrors ?? [],
          properties: Object.fromEntries(Object.keys(node._def.defaults).map(name => [name, node[name]])),
        }));
    });
  }

  /** Id of the inject node that is wired to the first node of `type`. */
  async injectBefore(type: string): Promise<string> {
    const { id: target } = await this.node(type);
    const found = await this.page.evaluate(wired => {
      const { RED } = globalThis as unknown as { RED: EditorRed };
      return RED.nodes.getNodeLinks(wired, 1).find(link => link.source.type === 'inject')?.source.id;
    }, target);
    if (found === undefined) throw new Error(`no inject node before ${type}`);
    return found;
  }

  async node(type: string): Promise<ShownNode> {
    const found = (await this.nodes()).find(node => node.type === type);
    if (found === undefined) throw new Error(`no ${type} in the flow`);
    return found;
  }

  /** Takes a property away, as in a flow that was written by hand. */
  async forget(node: ShownNode, property: string): Promise<void> {
    await this.page.evaluate(
      ([id, name]) => {
        const { RED } = globalThis as unknown as { RED: EditorRed };
        delete RED.nodes.node(id)?.[name];
      },
      [node.id, property] as const,
    );
  }

  /** Opens the dialog by the editor's own call: in Node-RED 5 the first double click after an import is lost. */
  async openDialog(node: ShownNode): Promise<void> {
    await this.page.evaluate(({ id, type, isConfig }) => {
      const { RED } = globalThis as unknown as { RED: EditorRed };
      if (isConfig) RED.editor.editConfig('', type, id);
      else RED.editor.edit(RED.nodes.node(id) as EditorNode);
    }, node);
    await this.page.locator(node.isConfig ? '#node-config-dialog-ok' : '#node-dialog-ok').waitFor();
    await this.page.locator('.red-ui-tray .form-row').first().waitFor();
    // The editor focuses the first field once the tray has come in, and would take the focus from what is typed before.
    await this.page.locator('.red-ui-tray-body :focus').first().waitFor();
  }

  async confirmDialog(node: ShownNode): Promise<void> {
    await this.page.locator(node.isConfig ? '#node-config-dialog-ok' : '#node-dialog-ok').click();
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached', timeout: TRAY_GONE_MS });
  }

  async cancelDialog(node: ShownNode): Promise<void> {
    await this.page.locator(node.isConfig ? '#node-config-dialog-cancel' : '#node-dialog-cancel').click();
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached', timeout: TRAY_GONE_MS });
  }

  /** Deploys; resolves with the answer's HTTP status. */
  async deploy(): Promise<number> {
    const answered = this.page.waitForResponse(
      response => new URL(response.url()).pathname === '/flows' && response.request().method() === 'POST',
    );
    await this.page.locator('#red-ui-header-button-deploy').click();
    return (await answered).status();
  }

  async invoke(action: string, ...args: string[]): Promise<void> {
    await this.page.evaluate(
      ([name, ...rest]) => {
        const { RED } = globalThis as unknown as { RED: EditorRed };
        RED.actions.invoke(name as string, ...rest);
      },
      [action, ...args],
    );
  }

  /** Node-RED 5 brought a dark theme. */
  async hasDarkTheme(): Promise<boolean> {
    return this.page.evaluate(() => {
      const { RED } = globalThis as unknown as { RED: { settings: { version: string } } };
      return Number.parseInt(RED.settings.version, 10) >= 5;
    });
  }

  /** Brings the sheet of a node to the front. */
  async showSheetOf(node: ShownNode): Promise<void> {
    await this.page.evaluate(id => {
      const { RED } = globalThis as unknown as { RED: EditorRed };
      RED.workspaces.show(String(RED.nodes.node(id)?.['z']));
    }, node.id);
  }

  /** What the nodes on the sheet in front show under them. */
  async statusTexts(): Promise<string[]> {
    return this.page.locator('.red-ui-flow-node-status-label').allTextContents();
  }
}
