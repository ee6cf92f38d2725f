import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { replaceFile, writeDurably } from '../../src/machine/durable.ts';
import { temporaryFolder } from '../support/postgres.ts';

test('a file is replaced whole, by one that its owner alone reads; nothing is left beside it', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'state');
  expect(await writeDurably(file, 'old')).toBe('disk');
  await Promise.all([writeDurably(file, 'one'), writeDurably(file, 'two')]);
  expect(['one', 'two']).toContain(await readFile(file, 'utf8'));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['state']);
});

test('what cannot take the name of the old one leaves the old one, and nothing beside it', async () => {
  const folder = await temporaryFolder();
  await expect(writeDurably(folder, 'text')).rejects.toThrow();
  expect((await readdir(path.dirname(folder))).filter((name) => name.startsWith(path.basename(folder)))).toHaveLength(
    1,
  );
});

test("a file of people's own keeps its mode", async () => {
  const file = path.join(await temporaryFolder(), 'V1__a.sql');
  await writeFile(file, 'SELECT 1');
  await chmod(file, 0o664);
  await replaceFile(file, 'SELECT 2');
  expect([await readFile(file, 'utf8'), (await stat(file)).mode & 0o777]).toEqual(['SELECT 2', 0o664]);
});
