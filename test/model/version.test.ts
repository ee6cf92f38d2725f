import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { version } from '../../src/model/version.ts';
import { document, root } from '../docs/sources.ts';

test('the policy pack, which Pulumi wants a package.json of, has the version of Verdigris', () => {
  expect(JSON.parse(document('policies/package.json'))).toMatchObject({ version });
});

test('the chart and the examples are of this version', () => {
  expect(parse(document('deploy/chart/Chart.yaml'))).toMatchObject({ version, appVersion: version });
  const named = globSync('{Dockerfile,examples/**/*.yaml}', { cwd: root }).flatMap((file) =>
    [...document(file).matchAll(/(?:verdigris(?:-\w+)?:|Revision: v|tag: v)(\d+\.\d+\.\d+)/g)].map(([, of]) => ({
      file,
      of,
    })),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(({ of }) => of !== version)).toEqual([]);
});
