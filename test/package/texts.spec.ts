import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf, nodeSets, ROOT } from './sets';

const sets = nodeSets();
/** What looks like a key and is a file. */
const FILES = ['repository.db', 'ticket.html', 'ticket.json'];

describe('texts of the catalogues', () => {
  it('are all there, and none that nothing uses', () => {
    const source = (file: string): string => readFileSync(join(ROOT, 'nodes', file), 'utf8');
    const runtime = readdirSync(join(ROOT, 'nodes'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts') && !file.includes('render-'))
      .map(source)
      .join('\n');
    const ticketSets = sets.filter(set => set.name.startsWith('ticket-'));
    for (const set of sets) {
      const domain = set.name.startsWith('ticket-') ? 'ticket' : set.name;
      const inUse = domain === 'ticket' ? ticketSets.map(other => other.html).join('\n') : set.html;
      assertKeys(set.html + runtime, inUse + runtime, domain, keysOf(set.catalogue));
    }
    const sidebar = source('sidebar.html').replace(/\bt\((['`])/g, '$1sidebar.');
    assertKeys(
      sidebar,
      sidebar,
      'sidebar',
      keysOf(JSON.parse(source('locales/en-US/sidebar.json')) as Record<string, unknown>),
    );
  });
});

/**
 * Keys of `domain` named in `source` are `present`; those present are named somewhere in `inUse`, where a name made of
 * parts counts for all that begin like it.
 */
function assertKeys(source: string, inUse: string, domain: string, present: string[]): void {
  const named = (text: string): string[] =>
    [...text.matchAll(/['"`\]]([a-z][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+)+\.?(?:\$\{)?)/g)]
      .map(match => match[1] ?? '')
      .filter(key => key.startsWith(`${domain}.`) && !FILES.includes(key));
  for (const key of named(source)) {
    if (key.endsWith('${'))
      assert.ok(
        present.some(other => other.startsWith(key.slice(0, -2))),
        `${key} has no text`,
      );
    else assert.ok(present.includes(key), `${key} has no text`);
  }
  const used = named(inUse);
  const unused = present.filter(
    key => !used.some(name => (name.endsWith('${') ? key.startsWith(name.slice(0, -2)) : key === name)),
  );
  assert.deepEqual(unused, [], `texts of ${domain} that nothing uses`);
}
