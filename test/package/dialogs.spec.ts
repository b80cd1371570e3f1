import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHECK_IDS, DEFAULT_FINDINGS } from '../../lib/model/checks';
import { SCHEMES } from '../../lib/scan/targets/schemes';
import { FACILITIES } from '../../lib/policy/syslog-facilities';
import { nodeSets, ROOT, type Definition, type NodeSet } from './sets';

/** Every property with its default, typed from docs/contract.md; a config node's type where there is one. */
const OPTIONAL_REPOSITORY = { value: '', type: 'certdesk-repository', required: false };
const TICKET = {
  name: '',
  repository: OPTIONAL_REPOSITORY,
  priority: 'High',
  subject: '',
  body: '',
  onCleared: 'comment',
  addResults: 'always',
  fields: '',
  resolveFields: '',
};
const CONTRACT: Record<string, Record<string, unknown>> = {
  'certdesk-ssl-scan': {
    name: '',
    repository: OPTIONAL_REPOSITORY,
    source: 'targets',
    targets: '',
    exclude: '',
    concurrency: 100,
    perHost: 4,
    timeoutMs: 10_000,
    profile: 'quick',
    checks: '',
    findings: '',
    weakFrom: 'insecure',
    findingPer: 'certificate-and-place',
    tls: { value: '', type: 'tls-config', required: false },
  },
  'certdesk-expiry-check': {
    name: '',
    repository: OPTIONAL_REPOSITORY,
    days: 30,
    percent: '',
    include: '',
    exclude: '',
    source: 'message',
    recheck: true,
  },
  'certdesk-notification-policy': {
    name: '',
    repository: OPTIONAL_REPOSITORY,
    frequency: 'daily',
    timeZone: 'UTC',
    thresholds: '60,30,14,7,3,1,0,-7',
    everyRunBelowDays: '',
    include: '',
    exclude: '',
    emailTo: '',
    emailMode: 'digest',
    emailSubject: '',
    emailBody: '',
    digestWaitMs: 5000,
    syslogFacility: 'local7',
    syslogFraming: 'none',
    memory: '',
  },
  'certdesk-repository': {
    name: '',
    kind: 'sqlite',
    path: '',
    host: '',
    port: '',
    database: '',
    tls: { value: '', type: 'tls-config', required: false },
    retentionDays: 365,
    baseUrl: '',
    fleet: false,
  },
  'certdesk-ticket-local': TICKET,
  'certdesk-ticket-request-tracker': {
    ...TICKET,
    connection: { value: '', type: 'certdesk-helpdesk-request-tracker', required: true },
    queue: '',
    requester: '',
  },
  'certdesk-helpdesk-request-tracker': {
    name: '',
    url: '',
    auth: 'token',
    keyField: 'CertDesk Key',
    tls: { value: '', type: 'tls-config', required: false },
    proxy: { value: '', type: 'http proxy', required: false },
    statusMap: '{}',
  },
};
const CREDENTIALS: Record<string, string[]> = {
  'certdesk-repository': ['password', 'username'],
  'certdesk-helpdesk-request-tracker': ['password', 'token', 'username'],
};
const LABELS: Record<string, { title: string; outputs: string[] }> = {
  'certdesk-ssl-scan': { title: 'SSL Scan', outputs: ['endpoint', 'vulnerability', 'run'] },
  'certdesk-expiry-check': { title: 'Expiry Check', outputs: ['expiry', 'not due'] },
  'certdesk-notification-policy': { title: 'Notification Policy', outputs: ['tickets', 'email', 'syslog'] },
  'certdesk-ticket-local': { title: 'Local ticket', outputs: ['ticket'] },
  'certdesk-ticket-request-tracker': { title: 'Request Tracker ticket', outputs: ['ticket'] },
};

const sets = nodeSets();
const each = (test: (type: string, definition: Definition, set: NodeSet) => void): void => {
  for (const set of sets) for (const [type, definition] of set.editorTypes()) test(type, definition, set);
};
const isConfig = (definition: Definition): boolean => definition.category === 'config';

describe('dialogs as built', () => {
  it('register the types that the runtime registers, each with a template and help', () => {
    for (const set of sets) {
      const types = [...set.editorTypes().keys()].sort();
      assert.ok(types.length > 0, set.name);
      assert.deepEqual([...set.runtimeTypes().keys()].sort(), types);
      assert.deepEqual([...set.templates().keys()].sort(), types);
      assert.deepEqual([...set.helpTexts().keys()].sort(), types);
    }
  });

  it('have the properties and defaults of the contract', () => {
    const found: typeof CONTRACT = {};
    each((type, definition) => {
      found[type] = Object.fromEntries(
        Object.entries(definition.defaults).map(([name, { value, type: configType, required }]) => [
          name,
          configType === undefined ? value : { value, type: configType, required },
        ]),
      );
    });
    assert.deepEqual(found, CONTRACT);
  });

  it('keep secrets in credentials, the same on both sides', () => {
    each((type, definition, set) => {
      const names = Object.keys(definition.credentials ?? {}).sort();
      assert.deepEqual(names, CREDENTIALS[type] ?? []);
      assert.equal(JSON.stringify(definition.credentials ?? {}), JSON.stringify(set.runtimeTypes().get(type)), type);
      assert.deepEqual(
        names.filter(name => name in definition.defaults),
        [],
      );
    });
  });

  it('carry the labels of the contract in category certdesk', () => {
    const found: typeof LABELS = {};
    each((type, definition, set) => {
      if (isConfig(definition)) return;
      const node = { _: (key: string) => set.text(key) };
      assert.equal(definition.category, 'certdesk');
      assert.equal(definition.inputs, 1);
      assert.doesNotMatch(definition.inputLabels?.call(node, 0) ?? '', /^$|\./);
      assert.equal(definition.label.call(node), definition.paletteLabel.call(node));
      assert.equal(definition.label.call({ ...node, name: 'mine' }), 'mine');
      assert.equal(definition.labelStyle.call({ ...node, name: 'mine' }), 'node_label_italic');
      found[type] = {
        title: definition.paletteLabel.call(node),
        outputs: Array.from(
          { length: definition.outputs ?? 0 },
          (_, i) => definition.outputLabels?.call(node, i) ?? '',
        ),
      };
    });
    assert.deepEqual(found, LABELS);
  });

  it('have an icon of their own, 40 by 60, white on nothing', () => {
    each((type, definition) => {
      if (isConfig(definition)) return;
      assert.equal(definition.icon, `${type}.svg`);
      const icon = readFileSync(join(ROOT, 'dist', 'nodes', 'icons', definition.icon), 'utf8');
      assert.match(icon, /^<svg [^>]*width="40" height="60" viewBox="0 0 40 60"/);
      assert.deepEqual([...new Set([...icon.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map(match => match[1]))].sort(), [
        '#fff',
        ...(icon.includes('"none"') ? ['none'] : []),
      ]);
    });
    const icons = readdirSync(join(ROOT, 'icons'));
    assert.deepEqual(
      icons.filter(icon => !/^certdesk-[a-z-]+\.svg$/.test(icon)),
      [],
    );
  });

  it('tie each input to a label, and have an input for what they declare as required', () => {
    for (const set of sets) {
      for (const [type, template] of set.templates()) {
        const ids = [...template.matchAll(/<(?:input|select|textarea)[^>]*\sid="([^"]+)"/g)].map(match => match[1]);
        const labels = [...template.matchAll(/<label[^>]*\sfor="([^"]+)"/g)].map(match => match[1]);
        assert.ok(ids.length > 0, type);
        assert.deepEqual(ids.toSorted(), labels.toSorted(), type);
        const definition = set.editorTypes().get(type);
        const prefix = definition?.category === 'config' ? 'node-config-input-' : 'node-input-';
        for (const id of ids) {
          const name = id?.replace(prefix, '') ?? '';
          assert.ok(name in (definition?.defaults ?? {}) || name in (definition?.credentials ?? {}), `${type} ${name}`);
        }
      }
    }
  });

  it('use only colours of the editor, and only classes and ids of their own', () => {
    for (const name of [...sets.map(set => set.name), 'sidebar']) {
      const html = readFileSync(join(ROOT, 'dist', 'nodes', `${name}.html`), 'utf8');
      const styles = [...html.matchAll(/<style>([^]*?)<\/style>/g)].map(match => match[1]).join('\n');
      for (const [rule] of styles.matchAll(/^\s*\S[^{}\n]*(?=\{)/gm)) assert.match(rule, /^\s*\.certdesk-/, name);
      for (const [, value] of styles.matchAll(/(?:color|background|border[a-z-]*):\s*([^;]+);/g)) {
        assert.match(value ?? '', /var\(--red-ui-/, name);
      }
      assert.doesNotMatch(html, /style="[^"]*(color|background)/);
    }
  });

  it('explain every property in a help with all its parts', () => {
    each((type, definition, set) => {
      const help = set.helpTexts().get(type) ?? '';
      assert.match(help, /^\s*<p>[^<]{20,}/, type);
      assert.deepEqual(
        [...help.matchAll(/<h3>(.*?)<\/h3>/g)].map(match => match[1]),
        ['Inputs', 'Outputs', 'Details', 'References'],
      );
      assert.match(help, /<dl class="message-properties">/, type);
      if ((definition.outputs ?? 0) > 1) {
        assert.equal(
          /<ol class="node-ports">([^]*?)<\/ol>/.exec(help)?.[1]?.match(/<li>/g)?.length,
          definition.outputs,
        );
      }
      assert.doesNotMatch(help, /<(b|i|em|strong)>/, type);
      for (const [, key] of (set.templates().get(type) ?? '').matchAll(/<label[^>]*>[^]*?data-i18n="([^"]+)"/g)) {
        const label = set.text(key ?? '').replace(/ \(ms\)$/, '');
        if (label !== 'Name' && !/^(Scan|Judge|Connection)$/.test(label))
          assert.ok(help.includes(label), `${type} ${label}`);
      }
      assert.match(help, /&#123;NAME&#125;/, `${type}: how to use environment variables`);
    });
  });

  it('describe the checks, take the schemes and offer the facilities that the code knows', () => {
    const scan = sets.find(set => set.name === 'ssl-scan');
    const checks = (scan?.catalogue['ssl-scan'] as { check: object } | undefined)?.check ?? {};
    assert.deepEqual(Object.keys(checks).sort(), CHECK_IDS.toSorted());
    const advice = CHECK_IDS.filter(id => !DEFAULT_FINDINGS.includes(id));
    const helped = /Findings for[^]*?<\/dd>/.exec(scan?.help ?? '')?.[0] ?? '';
    assert.deepEqual([...helped.matchAll(/<code>([^<]+)<\/code>/g)].map(match => match[1]).sort(), advice.toSorted());
    const policy = sets.find(set => set.name === 'notification-policy');
    assert.deepEqual(wordsOf(policy, /const FACILITIES =([^;]*);/), [...FACILITIES]);
    assert.deepEqual(wordsOf(scan, /const SCHEMES =([^;]*)\.split/), Object.keys(SCHEMES));
  });

  it('leave out of a helpdesk without a connection what only one with a connection has', () => {
    for (const [name, isThere] of [
      ['local', false],
      ['request-tracker', true],
    ] as const) {
      const set = sets.find(other => other.name === `ticket-${name}`);
      const template = set?.templates().get(`certdesk-ticket-${name}`) ?? '';
      for (const id of ['fields', 'resolveFields', 'connection']) {
        assert.equal(template.includes(`id="node-input-${id}"`), isThere, `${name} ${id}`);
      }
      assert.equal(/connection|token|More fields|On resolving/i.test(set?.help ?? ''), isThere, name);
      assert.doesNotMatch(`${set?.html}${set?.help}`, /(<!--|\/\*) (end of )?(no )?connection/, name);
    }
  });

  it('keep the pages that References link to', () => {
    for (const set of sets) {
      for (const [, path] of set.help.matchAll(/node-red-certdesk\/blob\/main\/([^"]+)"/g)) {
        assert.ok(existsSync(join(ROOT, path ?? '')), path);
      }
    }
  });
});

/** The list that a dialog's script writes out, found by `pattern`. */
function wordsOf(set: NodeSet | undefined, pattern: RegExp): string[] | undefined {
  return pattern
    .exec(set?.html ?? '')?.[1]
    ?.replace(/[^a-z0-9]+/g, ' ')
    .trim()
    .split(' ');
}
