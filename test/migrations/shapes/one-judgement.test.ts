import { expect, test } from 'vitest';
import { lintRules } from '../../../src/migrations/lint/rules/index.ts';
import { shapeChanges } from '../../../src/model/shape-changes.ts';
import { withServer } from '../../support/postgres.ts';
import { schema } from '../lint/corpus/schema.ts';
import { judgeOf, withPair } from './pair.ts';

/** Their examples speak of what the mapping calls otherwise, of a lock, or of a table that is new. */
const others: Readonly<Record<string, string>> = {
  'add-column-volatile-default': 'a rewrite; the column itself is harmless',
  'add-required-column': 'required-column-added of the mapping',
  'add-primary-key': 'a lock; NOT NULL comes with it where the column may be null',
  'table-without-primary-key': 'a table of one side is harmless',
  'replica-identity': 'replica-identity-missing of the mapping',
  'view-column-removed': 'the column of a view, which goes as a column',
  'drop-object': 'a kind that no software names',
  'change-function-signature': 'a function that is gone, and another',
};

test('what a rule of the linter finds in its example, the catalogues show as a change that the table has for it', async () => {
  const rules = new Set(Object.values(shapeChanges).flatMap((change) => change.rules));
  const seen: Record<string, string[]> = {};
  await withServer((server) =>
    withPair(server, schema, async (pair) => {
      const { candidate } = pair;
      const judge = await judgeOf(pair);
      for (const { id, bad } of lintRules.filter((rule) => rules.has(rule.id))) {
        const statements = bad.replaceAll(/ CONCURRENTLY/g, '');
        await candidate.query('BEGIN');
        await candidate.query(statements);
        const { changes, findings } = await judge();
        const ids = [...changes.map((change) => change.id), ...findings.map((finding) => finding.id)];
        seen[id] = ids.filter(
          (one) => one in shapeChanges && shapeChanges[one as keyof typeof shapeChanges].rules.includes(id),
        );
        await candidate.query('ROLLBACK');
      }
    }),
  );
  const unseen = Object.entries(seen).flatMap(([id, changes]) => (changes.length > 0 ? [] : [id]));
  expect(unseen.toSorted()).toEqual(Object.keys(others).toSorted());
});
