import { expect, test } from 'vitest';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { lintRules } from '../../../src/migrations/lint/rules/index.ts';
import { shapeChanges } from '../../../src/model/shape-changes.ts';
import { schema } from '../lint/corpus/schema.ts';

test('what `migrate` refuses is an error of the linter for an environment, which fails on errors', async () => {
  const mild: string[] = [];
  for (const [id, { verdict, rules }] of Object.entries(shapeChanges).filter(([, each]) =>
    each.verdict.startsWith('breaks'),
  ))
    for (const rule of rules) {
      const bad = lintRules.find((each) => each.id === rule)?.bad ?? '';
      const files = [
        { path: '1.sql', text: schema, applied: true },
        { path: '2.sql', text: bad, applied: false },
      ];
      const { findings } = await lintFiles(files, { target: 'candidate' });
      const judged = findings.filter((each) => (each.verdict ?? verdict) === verdict);
      if (!judged.some(({ severity }) => severity === 'error')) mild.push(`${id}: ${rule}`);
    }
  // Its example is of a kind that no software names.
  expect(mild).toEqual(['object-removed: drop-object']);
});
