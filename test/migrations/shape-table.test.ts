import { expect, test } from 'vitest';
import { ruleIds } from '../../src/migrations/lint/rules/index.ts';
import { changeLine, ofVerdict, shapeChanges, shapeVerdicts, type SeenChange } from '../../src/model/shape-changes.ts';
import { document } from '../docs/sources.ts';

test('the linter has each rule that the table of shape changes says sees a change', () => {
  const rules = Object.values(shapeChanges).flatMap((change) => change.rules);
  expect(rules.filter((rule) => !ruleIds.includes(rule))).toEqual([]);
});

test('a change is said by its object and what it does, and told apart by its verdict', () => {
  const seen: readonly SeenChange[] = [
    { id: 'not-null-added', object: 'shop.orders.note', kind: 'column' },
    { id: 'enum-value-added', object: 'shop.mood', kind: 'type', says: "has 'so-so'" },
  ];
  expect(seen.map(changeLine)).toEqual(['shop.orders.note no longer takes NULL', "shop.mood has 'so-so'"]);
  expect(shapeVerdicts.map((verdict) => ofVerdict(seen, verdict).length)).toEqual([0, 1, 1, 0]);
});

test('docs/expand-contract.md has the table', () => {
  const lines = shapeVerdicts.flatMap((verdict) =>
    Object.entries(shapeChanges)
      .filter(([, change]) => change.verdict === verdict)
      .map(([id, { says, software, forward, reverse, lock }]) =>
        ['', id, `… ${says}`, verdict, software, forward, reverse, lock, ''].join(' | ').trim(),
      ),
  );
  const table = [
    '| change | what is said | verdict | the live release | apply forward | apply back | lock |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ];
  expect(document('docs/expand-contract.md')).toContain(`\n${table.join('\n')}\n`);
});
