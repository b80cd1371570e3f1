import assert from 'node:assert/strict';
import { makeEndpoint } from '../../lib/model/endpoint';
import { knownTargets } from '../../lib/scan/targets/known';
import { resolveTargets } from '../../lib/scan/targets/resolve';

describe('knownTargets', () => {
  const known = [
    { domain: 'a.example', ip: '192.0.2.1', port: 443, starttls: null },
    { domain: 'm.example', ip: '192.0.2.2', port: 25, starttls: 'smtp' },
    { domain: null, ip: '2001:db8::1', port: 443, starttls: null },
    { domain: 'lost.example', ip: '', port: 443, starttls: null },
    { domain: 'file.pem', ip: '', port: 0, starttls: null },
  ].map(parts => ({ endpoint: makeEndpoint(parts) }));

  async function endpoints(exclude?: string): Promise<unknown[]> {
    const lookupAll = (): Promise<string[]> => Promise.resolve(['198.51.100.9']);
    const places = await resolveTargets(knownTargets(known, exclude), { timeoutMs: 1000, lookupAll });
    return [...places].flatMap(({ endpoints }) => endpoints);
  }

  it('looks at every known endpoint where it was seen, and for a lost name again', async () => {
    const found = makeEndpoint({ domain: 'lost.example', ip: '198.51.100.9', port: 443, starttls: null });
    assert.deepEqual(await endpoints(), [...known.slice(0, 3).map(({ endpoint }) => endpoint), found]);
  });

  it('leaves out what is excluded', async () => {
    assert.deepEqual(await endpoints('*.example'), [known[2]?.endpoint]);
  });

  it('refuses a bad exclude', () => {
    assert.throws(() => knownTargets(known, '10.0.0.0/99'), { code: 'BAD_TARGET', message: /^exclude line 1: / });
  });

  it('is empty where nothing is known', () => {
    const { targets, total } = knownTargets([], '');
    assert.deepEqual([[...targets], total], [[], 0]);
  });
});
