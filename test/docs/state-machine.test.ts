import { expect, test } from 'vitest';
import { crashDirection } from '../../src/model/recovery.ts';
import { guarantees, renderTransitions, verbs } from '../../src/model/transitions.ts';
import { document } from './sources.ts';

const text = document('docs/state-machine.md');

test('the edges are those of the program', () => {
  expect(/```text\n([\s\S]+?)\n```/.exec(text)?.[1]).toBe(renderTransitions());
});

test('the guarantees are those of the program', () => {
  const rows = [...text.matchAll(/^\| `(\w+)` \| ([^|]+) \|$/gm)].map(([, state, guarantee]) => [state, guarantee]);
  expect(Object.fromEntries(rows)).toEqual(guarantees);
});

test('after a crash, each phase of each verb has the direction that the program takes', () => {
  const rows = [...text.matchAll(/^\| `([\w-]+)` \| (\w+) \| (\w+) \| (\w+) \|$/gm)].map(
    ([, verb, start, complete, revert]) => ({ verb, start, complete, revert }),
  );
  expect(rows).toEqual(
    verbs.map((verb) => ({
      verb,
      start: crashDirection({ verb, phase: 'start' }),
      complete: crashDirection({ verb, phase: 'complete' }),
      revert: crashDirection({ verb, phase: 'revert' }),
    })),
  );
});
