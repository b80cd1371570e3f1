import { printMachine } from '../support/machine';
import { connections } from './connections';
import { flow, loopDelay } from './flow';
import { memory } from './memory';
import { profile } from './profile';
import { rate } from './rate';
import { roundTrip } from './round-trip';
import type { Section } from './section';
import { weak } from './weak';

/** In the order of issue and docs. */
const SECTIONS: Record<string, Section> = {
  connections,
  weak,
  'round-trip': roundTrip,
  rate,
  flow,
  memory,
  'loop-delay': loopDelay,
};
/** Only when asked for by name. */
const EXTRA: Record<string, Section> = { profile };

/** `npm run bench -- scan [section…] [--quick]` */
export async function benchScan(names: readonly string[], options: { isQuick: boolean }): Promise<void> {
  const known = { ...SECTIONS, ...EXTRA };
  const unknown = names.filter(name => !(name in known));
  if (unknown.length > 0) {
    throw new Error(`There is no section ${unknown.join(', ')}. Sections: ${Object.keys(known).join(', ')}.`);
  }
  printMachine();
  for (const name of names.length > 0 ? names : Object.keys(SECTIONS)) await known[name]?.(options);
}
