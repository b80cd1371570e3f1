import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HELPDESKS } from '../../lib/helpdesks';
import { examples, manifest, nodeSets, ROOT, type Definition, type ExampleNode } from './sets';

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const definitions = new Map<string, Definition>(nodeSets().flatMap(set => [...set.editorTypes()]));
/** What Node-RED itself keeps of any node on a sheet, and of any config node. */
const COMMON = ['id', 'type', 'z', 'x', 'y', 'wires', 'd', 'g', 'l', 'info', 'name'];

describe('package.json', () => {
  it('says what the public library of Node-RED asks for', () => {
    assert.match(manifest.name, /^@[a-z-]+\/node-red-[a-z-]+$/);
    assert.equal(manifest.license, 'Apache-2.0');
    assert.ok(existsSync(join(ROOT, 'LICENSE')));
    assert.match(manifest.repository.url, /^git\+https:\/\//);
    assert.match(manifest.bugs.url, /^https:\/\//);
    assert.equal(manifest.engines.node, '>=20.19');
    assert.match(manifest['node-red'].version, /^>=4/);
  });

  it('has at most six runtime dependencies, or a decision that says why more', () => {
    const count = Object.keys(manifest.dependencies).length;
    assert.ok(count <= 6 || /dependenc/i.test(read('docs/decisions.md')), `${count} dependencies`);
  });

  it('names a set per node and the sidebar, each at the place where Node-RED looks for its html, texts and icons', () => {
    for (const [name, script] of Object.entries({ ...manifest['node-red'].nodes, ...manifest['node-red'].plugins })) {
      assert.equal(script, `dist/nodes/${name}.js`);
      for (const file of [script, `dist/nodes/${name}.html`, `dist/nodes/locales/en-US/${name}.json`]) {
        assert.ok(existsSync(join(ROOT, file)), file);
      }
    }
  });

  it('packs what is needed to run, and no sources, tests or demo', function () {
    this.timeout(60_000);
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [packed] = JSON.parse(output) as { files: { path: string }[] }[];
    const files = packed?.files.map(file => file.path) ?? [];
    for (const name of Object.keys(manifest['node-red'].nodes)) {
      for (const file of [`${name}.js`, `${name}.html`, `locales/en-US/${name}.json`, `locales/en-US/${name}.html`]) {
        assert.ok(files.includes(`dist/nodes/${file}`), file);
      }
    }
    assert.deepEqual(
      files.filter(file => !/^(dist\/(nodes|lib)\/|examples\/[^/]+\.json$|[^/]+$)/.test(file)),
      [],
    );
    assert.deepEqual(
      files.filter(file => /(^|\/)(test|bench|node_modules)\/|\.spec\./.test(file)),
      [],
    );
    for (const { name } of examples()) assert.ok(files.includes(`examples/${name}.json`), name);
  });
});

describe('package-lock.json', () => {
  it('names no host', () => {
    assert.doesNotMatch(read('package-lock.json'), /"resolved":\s*"(https?|git|ssh)/);
  });
});

describe('README', () => {
  it('has a row for each node', () => {
    for (const type of definitions.keys()) assert.match(read('README.md'), new RegExp(`^\\|.*\`${type}\``, 'm'));
  });

  it('links to files that exist', () => {
    for (const [, link] of read('README.md').matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      assert.ok(existsSync(join(ROOT, decodeURI(link ?? ''))), link);
    }
  });
});

describe('each helpdesk', () => {
  for (const { name, label, connectionFields } of HELPDESKS) {
    it(`${label} has its node set, icon, example, page and README row`, () => {
      assert.ok(`ticket-${name}` in manifest['node-red'].nodes);
      assert.ok(existsSync(join(ROOT, 'icons', `certdesk-ticket-${name}.svg`)));
      assert.ok(definitions.has(`certdesk-ticket-${name}`));
      assert.equal(definitions.has(`certdesk-helpdesk-${name}`), connectionFields.length > 0);
      assert.ok(examples().some(({ nodes }) => nodes.some(node => node.type === `certdesk-ticket-${name}`)));
      assert.ok(existsSync(join(ROOT, 'docs', 'helpdesks', `${name}.md`)));
      assert.match(read('README.md'), new RegExp(`^\\|.*docs/helpdesks/${name}\\.md`, 'm'));
    });
  }
  it('is declared: no ticket node of package.json is without an adapter', () => {
    const named = Object.keys(manifest['node-red'].nodes).filter(name => name.startsWith('ticket-'));
    assert.deepEqual(named.sort(), HELPDESKS.map(({ name }) => `ticket-${name}`).sort());
  });
});

describe('examples', () => {
  const all = examples();

  it('show every node of the palette', () => {
    const used = new Set(all.flatMap(({ nodes }) => nodes.map(node => node.type)));
    const missing = [...definitions].filter(([type, { category }]) => category !== 'config' && !used.has(type));
    assert.deepEqual(missing, []);
  });

  for (const { name, nodes } of all) {
    const own = nodes.filter(node => definitions.has(node.type));

    it(`${name} is a sheet with a comment that says what to do`, () => {
      assert.match(name, /^\d\d - [A-Z]/);
      assert.ok(Array.isArray(nodes));
      const tabs = nodes.filter(node => node.type === 'tab').map(node => node.id);
      assert.equal(tabs.length, 1);
      assert.ok(nodes.some(node => node.type === 'comment' && String(node['info']).length > 100));
      for (const node of nodes) assert.match(node.id, /^certdesk-[a-z-]+$/);
      assert.equal(new Set(nodes.map(node => node.id)).size, nodes.length);
      for (const node of nodes.filter(({ wires }) => wires !== undefined)) assert.equal(node.z, tabs[0]);
    });

    it(`${name} needs nothing but Node-RED and this package`, () => {
      const core = ['tab', 'comment', 'inject', 'debug', 'catch', 'tls-config'];
      assert.deepEqual(
        nodes.filter(node => !definitions.has(node.type) && !core.includes(node.type)),
        [],
      );
    });

    it(`${name} has all properties of the dialogs and no other, and no credentials`, () => {
      for (const node of own) {
        const { defaults, credentials = {} } = definitions.get(node.type) as Definition;
        const properties = Object.keys(node).filter(property => !COMMON.includes(property));
        const declared = Object.keys(defaults).filter(property => !COMMON.includes(property));
        assert.deepEqual(properties.sort(), declared.sort(), node.id);
        for (const secret of Object.keys(credentials)) assert.ok(!(secret in node), `${node.id} ${secret}`);
      }
      for (const node of nodes) assert.ok(!('credentials' in node), node.id);
    });

    it(`${name} is wired to nodes that exist, and names config nodes that exist`, () => {
      const find = (id: string): ExampleNode | undefined => nodes.find(node => node.id === id);
      for (const node of nodes) {
        for (const target of (node.wires ?? []).flat()) assert.ok(find(target), `${node.id} to ${target}`);
      }
      for (const node of own) {
        const { defaults, outputs } = definitions.get(node.type) as Definition;
        if (outputs !== undefined) assert.equal(node.wires?.length, outputs, node.id);
        for (const [property, { type }] of Object.entries(defaults)) {
          const id = node[property];
          if (type !== undefined && typeof id === 'string' && id !== '')
            assert.equal(find(id)?.type, type, `${node.id} ${property}`);
        }
      }
    });

    it(`${name} starts by itself, daily, and by hand with force`, () => {
      const injects = nodes.filter(node => node.type === 'inject');
      assert.ok(injects.some(node => node['once'] === true && node['crontab'] === '00 06 * * *'));
      const forced = { p: 'force', v: 'true', vt: 'bool' };
      assert.ok(injects.some(node => JSON.stringify(node['props']).includes(JSON.stringify(forced))));
      assert.equal(own.find(node => node.type === 'certdesk-expiry-check')?.['percent'], '33');
    });
  }
});
