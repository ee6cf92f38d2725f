import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadEnvironment } from '../../src/cli/declaration.ts';
import { VerdigrisError } from '../../src/model/errors.ts';

/** What the error for a declaration says, line by line. */
async function faults(text: string): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'declaration-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'verdigris.yaml');
  await writeFile(file, text);
  const error: unknown = await loadEnvironment(file).catch((cause: unknown) => cause);
  if (!(error instanceof VerdigrisError)) throw new Error('no error');
  return error.seen
    .replaceAll(file, 'FILE')
    .trim()
    .split('\n')
    .map((line) => line.trim());
}

test('each fault of a declaration is said with its line, and the key that was meant', async () => {
  const text = `name: shop
platform: local
databse: shop
roles: { application: [app], reader: [r] }
colours:
  blue: { release: "1", postgres: 17 }
  green:
    release: "2"
    postgres: 11
    migration: ./m
limits:
  pause: 2 lightyears
live: blue
`;
  expect(await faults(text)).toEqual([
    'FILE has 6 faults:',
    'database: is required',
    'line 3: databse: is not a key that Verdigris knows: did you mean database?',
    'line 4: roles.reader: is not a key that Verdigris knows: did you mean readers?',
    'line 9: colours.green.postgres: is below 12, the oldest that Verdigris reads; servers that it runs are 15 or newer',
    'line 10: colours.green.migration: is not a key that Verdigris knows: did you mean migrations?',
    'line 12: limits.pause: "2 lightyears" is not a number with one of the units ms, s, m, h, d, such as "10s"',
  ]);
});

test('a key that is near to none gets no guess', async () => {
  const text = await faults('name: shop\nzookeeper: 1\n');
  expect(text).toContain('line 2: zookeeper: is not a key that Verdigris knows');
});

test('a text without its quotes is said to need them', async () => {
  const text = `name: shop
platform: local
database: 7
roles: { application: [app] }
colours:
  blue: { release: 1.10, postgres: 17 }
  green: { release: true, postgres: 17 }
live: blue
`;
  expect(await faults(text)).toEqual([
    'FILE has 3 faults:',
    'line 3: database: is read as the number 7: put it in quotes, it is a text',
    'line 6: colours.blue.release: is read as the number 1.1: put it in quotes, it is a text',
    'line 7: colours.green.release: is read as the boolean true: put it in quotes, it is a text',
  ]);
});

test('what is no YAML is refused with its place', async () => {
  expect((await faults('name: [shop\nlive: blue\n')).join('\n')).toMatch(/FILE is not YAML: .*line 2/);
});

test("a stack's configuration is taken where it declares one environment; faults are at its lines", async () => {
  const text = (environments: string) => `encryptionsalt: v1:x\nconfig:\n  verdigris:environments:\n${environments}`;
  expect(await faults(text('    shop:\n      name: shop\n      databse: shop\n'))).toContain(
    'line 6: databse: is not a key that Verdigris knows: did you mean database?',
  );
  expect(await faults(text('    shop: ./shop.yaml\n'))).toEqual([
    'FILE is the configuration of a stack with the environments shop.',
  ]);
});

test('where stacks are and no declaration, the stacks are named', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'declaration-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'Pulumi.dev.yaml'), '');
  await writeFile(path.join(folder, 'Pulumi.yaml'), '');
  await expect(loadEnvironment(path.join(folder, 'verdigris.yaml'))).rejects.toMatchObject({
    id: 'no-declaration',
    next: expect.stringMatching(/--file \S+Pulumi\.dev\.yaml\.$/) as string,
  });
});

test.each([
  ['engine: *.sql\n', 'FILE is not YAML: Unresolved alias (the anchor must be set before the alias): .sql'],
  [
    `a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]\n`,
    'FILE is not YAML: Excessive alias count indicates a resource exhaustion attack',
  ],
])('aliases that lead nowhere or to too much are no YAML', async (text, seen) => {
  expect(await faults(text)).toContain(seen);
});

test.each(['a\\0b', '\\ud800'])('what PostgreSQL takes for no name is refused: %s', async (name) => {
  const text = `name: shop
platform: local
database: "${name}"
roles: { application: [app] }
colours:
  blue: { release: "1", postgres: 17 }
live: blue
`;
  expect(await faults(text)).toContain('line 3: database: a name in PostgreSQL is text without a zero byte');
});
