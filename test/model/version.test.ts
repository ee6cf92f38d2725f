import { expect, test } from 'vitest';
import { version } from '../../src/model/version.ts';
import { document } from '../docs/sources.ts';

test('the policy pack, which Pulumi wants a package.json of, has the version of Verdigris', () => {
  expect(JSON.parse(document('policies/package.json'))).toMatchObject({ version });
});
