import assert from 'node:assert/strict';
import { decide, type Situation, type Step } from '../../lib/tickets/decide';

type Column = Situation['ticket'];
const NONE: Column[] = ['none'];
const GONE: Column[] = ['gone'];
const OPEN: Column[] = ['Open', 'In Progress', 'On Hold'];
const OVER: Column[] = ['Resolved', 'Canceled', 'Closed'];
const UNKNOWN: Column[] = ['Unknown'];

interface Row {
  name: string;
  situation: Partial<Situation>;
  settings?: Partial<Parameters<typeof decide>[1]>;
  steps: [Column[], Step[]][];
}

/** The table of docs/design.md, typed from there, with its settings spelled out. */
const TABLE: Row[] = [
  ...(['new', 'due', 'worse'] as const).flatMap<Row>(reason => [
    {
      name: `expiry, ${reason}`,
      situation: { kind: 'expiry', reason },
      steps: [
        [NONE, ['create']],
        [GONE, ['follow-up']],
        [OPEN, ['leave']],
        [OVER, ['reopen']],
        [UNKNOWN, ['leave', 'warn']],
      ],
    },
    {
      name: `expiry, ${reason}, at a place not yet named`,
      situation: { kind: 'expiry', reason, hasNewPlaces: true },
      steps: [
        [NONE, ['create']],
        [GONE, ['follow-up']],
        [OPEN, ['note-places']],
        [OVER, ['reopen', 'note-places']],
        [UNKNOWN, ['leave', 'warn']],
      ],
    },
    {
      name: `vulnerability, ${reason}`,
      situation: { kind: 'vulnerability', reason },
      steps: [
        [NONE, ['create']],
        [GONE, ['follow-up']],
        [OPEN, ['add-results']],
        [OVER, ['reopen', 'add-results']],
        [UNKNOWN, ['leave', 'warn']],
      ],
    },
    {
      name: `vulnerability, ${reason}, the same results, addResults changed`,
      situation: { kind: 'vulnerability', reason },
      settings: { addResults: 'changed' },
      steps: [
        [NONE, ['create']],
        [OPEN, ['leave']],
        [OVER, ['reopen', 'add-results']],
        [UNKNOWN, ['leave', 'warn']],
      ],
    },
    {
      name: `vulnerability, ${reason}, other results, addResults changed`,
      situation: { kind: 'vulnerability', reason, hasNewResults: true },
      settings: { addResults: 'changed' },
      steps: [
        [NONE, ['create']],
        [OPEN, ['add-results']],
        [OVER, ['reopen', 'add-results']],
        [UNKNOWN, ['leave', 'warn']],
      ],
    },
  ]),
  ...(['expiry', 'vulnerability'] as const).flatMap<Row>(kind => [
    {
      name: `${kind}, standing`,
      situation: { kind, reason: 'standing', hasNewPlaces: true, hasNewResults: true },
      steps: [
        [NONE, ['nothing']],
        [GONE, ['nothing']],
        [OPEN, ['leave']],
        [OVER, ['reopen']],
        [UNKNOWN, ['leave']],
      ],
    },
    ...(['cleared', 'standing', 'due'] as const).flatMap<Row>(reason => [
      {
        name: `${kind}, cleared (${reason}), onCleared leave`,
        situation: { kind, state: 'cleared', reason },
        settings: { onCleared: 'leave' },
        steps: [
          [NONE, ['nothing']],
          [GONE, ['nothing']],
          [OPEN, ['leave']],
          [OVER, ['nothing']],
          [UNKNOWN, ['leave']],
        ],
      },
      {
        name: `${kind}, cleared (${reason}), onCleared comment`,
        situation: { kind, state: 'cleared', reason },
        settings: { onCleared: 'comment' },
        steps: [
          [NONE, ['nothing']],
          [GONE, ['nothing']],
          [OPEN, ['note-cleared']],
          [OVER, ['nothing']],
          [UNKNOWN, ['leave']],
        ],
      },
      {
        name: `${kind}, cleared (${reason}), onCleared resolve`,
        situation: { kind, state: 'cleared', reason },
        settings: { onCleared: 'resolve' },
        steps: [
          [NONE, ['nothing']],
          [GONE, ['nothing']],
          [OPEN, ['note-cleared', 'resolve']],
          [OVER, ['nothing']],
          [UNKNOWN, ['leave']],
        ],
      },
      {
        name: `${kind}, cleared (${reason}) and told`,
        situation: { kind, state: 'cleared', reason, wasClearedTold: true },
        settings: { onCleared: 'resolve' },
        steps: [
          [NONE, ['nothing']],
          [OPEN, ['leave']],
          [OVER, ['nothing']],
          [UNKNOWN, ['leave']],
        ],
      },
    ]),
    ...(['due', 'standing'] as const).map<Row>(reason => ({
      name: `${kind}, cannot tell (${reason})`,
      situation: { kind, state: 'unknown', reason },
      steps: [
        [NONE, ['nothing']],
        [GONE, ['nothing']],
        [OPEN, ['leave']],
        [OVER, ['leave']],
        [UNKNOWN, ['leave']],
      ],
    })),
  ]),
];

describe('decision table', () => {
  for (const row of TABLE) {
    it(row.name, () => {
      for (const [columns, steps] of row.steps) {
        for (const ticket of columns) {
          const situation: Situation = {
            kind: 'expiry',
            state: 'active',
            reason: 'due',
            hasNewPlaces: false,
            hasNewResults: false,
            wasClearedTold: false,
            ...row.situation,
            ticket,
          };
          const decided = decide(situation, { onCleared: 'comment', addResults: 'always', ...row.settings });
          assert.deepEqual(decided, steps, `ticket ${ticket}`);
        }
      }
    });
  }
});
