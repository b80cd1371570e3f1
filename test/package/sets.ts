import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runInNewContext } from 'node:vm';

export const ROOT = join(__dirname, '..', '..');

export interface Manifest {
  name: string;
  license: string;
  keywords: string[];
  files: string[];
  repository: { url: string };
  bugs: { url: string };
  engines: { node: string };
  dependencies: Record<string, string>;
  'node-red': { version: string; nodes: Record<string, string>; plugins: Record<string, string> };
}
export const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** What a dialog declares of one property. */
export interface Default {
  value: unknown;
  type?: string;
  required?: boolean;
  validate?: (this: object, value: unknown, options?: object) => unknown;
}
export interface Definition {
  category: string;
  color?: string;
  defaults: Record<string, Default>;
  credentials?: Record<string, { type: string }>;
  inputs?: number;
  outputs?: number;
  icon?: string;
  paletteLabel: (this: object) => string;
  label: (this: object) => string;
  labelStyle: (this: object) => string;
  inputLabels?: (this: object, index: number) => string;
  outputLabels?: (this: object, index: number) => string;
}

/** One node set as it is built: what the editor and the runtime get of it. */
export class NodeSet {
  readonly html: string;
  readonly help: string;
  readonly catalogue: Record<string, unknown>;

  constructor(
    readonly name: string,
    readonly script: string,
  ) {
    const folder = join(ROOT, 'dist', 'nodes');
    if (!existsSync(script)) throw new Error(`${script} is missing: run npm run build first`);
    this.html = readFileSync(join(folder, `${name}.html`), 'utf8');
    this.catalogue = readJson(join(folder, 'locales', 'en-US', `${name}.json`));
    const help = join(folder, 'locales', 'en-US', `${name}.html`);
    this.help = existsSync(help) ? readFileSync(help, 'utf8') : '';
  }

  /** The dialog's markup by type. */
  templates(): Map<string, string> {
    return scripts(this.html, 'data-template-name');
  }

  helpTexts(): Map<string, string> {
    return scripts(this.help, 'data-help-name');
  }

  /** What the dialog's script registers, read by running it with a RED of ours. */
  editorTypes(): Map<string, Definition> {
    const types = new Map<string, Definition>();
    for (const [, source] of this.html.matchAll(/<script type="text\/javascript">([^]*?)<\/script>/g)) {
      const RED = { nodes: { registerType: (type: string, definition: Definition) => types.set(type, definition) } };
      runInNewContext(source ?? '', { RED, Intl });
    }
    return types;
  }

  /** What the runtime registers, with the credentials it keeps. */
  runtimeTypes(): Map<string, Record<string, { type: string }>> {
    const types = new Map<string, Record<string, { type: string }>>();
    const nothing = (): void => {};
    const RED = {
      nodes: {
        registerType: (type: string, _: unknown, options?: { credentials?: Record<string, { type: string }> }) =>
          types.set(type, options?.credentials ?? {}),
      },
      auth: { needsPermission: () => nothing },
      httpAdmin: { get: nothing, post: nothing },
    };
    (require(this.script) as (red: unknown) => void)(RED);
    return types;
  }

  /** A text of the catalogue, or the key itself where there is none, as the editor's `this._` answers. */
  text(key: string, values: Record<string, unknown> = {}): string {
    const found = key
      .split('.')
      .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], {
        ...this.catalogue,
      });
    if (typeof found !== 'string') return key;
    return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`__${name}__`, String(value)), found);
  }
}

export const nodeSets = (): NodeSet[] =>
  Object.entries(manifest['node-red'].nodes).map(([name, script]) => new NodeSet(name, join(ROOT, script)));

export interface ExampleNode {
  id: string;
  type: string;
  z?: string;
  wires?: string[][];
  [property: string]: unknown;
}
export interface Example {
  name: string;
  nodes: ExampleNode[];
}

export function examples(): Example[] {
  const folder = join(ROOT, 'examples');
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .map(file => ({
      name: basename(file, '.json'),
      nodes: JSON.parse(readFileSync(join(folder, file), 'utf8')) as ExampleNode[],
    }));
}

/** Dotted keys of a catalogue. */
export function keysOf(catalogue: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(catalogue).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null
      ? keysOf(value as Record<string, unknown>, `${prefix}${name}.`)
      : [`${prefix}${name}`],
  );
}

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

function scripts(html: string, attribute: string): Map<string, string> {
  const found = html.matchAll(new RegExp(`<script type="text/html" ${attribute}="([^"]+)">([^]*?)</script>`, 'g'));
  return new Map([...found].map(([, type, content]) => [type ?? '', content ?? '']));
}
