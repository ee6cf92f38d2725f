import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { operatorRules } from '../../../src/manifests/rbac.ts';

test('the Role in the docs is the one that the tests on a cluster run with', async () => {
  const text = await readFile(new URL('../../../docs/kubernetes.md', import.meta.url), 'utf8');
  const block = text
    .split('```yaml\n')
    .find((part) => part.startsWith('rules:'))
    ?.split('```')[0];
  expect(parse(block ?? '')).toEqual({ rules: operatorRules });
});
