import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drillRules, eventReading, lookRules } from '../../src/manifests/rbac.ts';

test('the roles of the Helm chart have the rules of those that Verdigris makes by itself', () => {
  expect(JSON.parse(readFileSync('deploy/chart/files/rules.json', 'utf8'))).toEqual({
    look: lookRules,
    drill: drillRules,
    delivery: [...drillRules, eventReading],
  });
});
