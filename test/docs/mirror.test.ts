import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from './sources.ts';

/** Tests of several files together that bear the name of one of them. */
const together: readonly string[] = ['operations/databases'];

function below(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
}

const sources = below('src').map((name) => name.replace(/\.ts$/, ''));
const tests = below('test').flatMap((name) => /^(.+)\.test\.ts$/.exec(name)?.[1] ?? []);

/** Where a test belongs: with one file of its name below the folder that it is in, at that file's place. */
function place(name: string): string | undefined {
  if (sources.includes(name) || together.includes(name)) return undefined;
  const named = sources.filter(
    (each) => each.startsWith(`${path.dirname(name)}/`) && path.basename(each) === path.basename(name),
  );
  return named.length === 1 ? named[0] : undefined;
}

test('a test that bears the name of a file is at the path of that file', () => {
  expect(tests.length).toBeGreaterThan(350);
  expect(tests.flatMap((name) => (place(name) ? [`test/${name}.test.ts: test/${place(name)}.test.ts`] : []))).toEqual(
    [],
  );
});

test('one that is not is found', () => {
  expect(place('operations/rehearse')).toBe('operations/proofs/rehearse');
  expect(place('operations/proofs/rehearse')).toBe(undefined);
});

test('what CI runs by its name is there: Vitest passes over a name that fits nothing', () => {
  const named = readFileSync(path.join(root, '.ci/run'), 'utf8').match(/\btest\/[\w./-]+/g) ?? [];
  expect(named.length).toBeGreaterThan(8);
  const all = tests.map((name) => `test/${name}.test.ts`);
  expect(named.filter((each) => !all.some((file) => file.startsWith(each)))).toEqual([]);
});
