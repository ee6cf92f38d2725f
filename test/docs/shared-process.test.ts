import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { chains } from '../../vitest.config.ts';
import { root } from './sources.ts';

/** What belongs to the whole process: its environment (stubs are undone by Vitest), its folder, its modules, its clock. */
const left =
  /\bprocess\.(?:chdir\(|env\[[^\]]*\] \??=[^=])|\bdelete process\.env|\bvi\.(?:mock|doMock|stubGlobal|useFakeTimers)\(/;

/** A worker process each: other makers' tools, clusters, pages, and chains, where a clock is moved. */
const alone = ['e2e', 'deploy', 'browser', 'bench', 'migrations/tools', 'secrets', 'flags'].map(
  (room) => `test/${room}/`,
);

test('a file that shares its process with others leaves nothing there', () => {
  const files = globSync('test/**/*.test.ts', { cwd: root }).filter(
    (file) =>
      !chains.some((pattern) => path.matchesGlob(file, pattern)) && !alone.some((room) => file.startsWith(room)),
  );
  expect(files.length).toBeGreaterThan(250);
  expect(files.filter((file) => left.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
});

test('the one helper that changes PATH gives back what undoes it, and whoever calls it lets that run', () => {
  const text = (file: string) => readFileSync(path.join(root, file), 'utf8');
  expect(globSync('test/support/**/*.ts', { cwd: root }).filter((file) => left.test(text(file)))).toEqual([
    'test/support/client-programs.ts',
  ]);
  const undone = /beforeAll\(withNewestPgDump\)|onTestFinished\(await withNewestPgDump\(\)\)|import .*/g;
  expect(
    globSync('test/**/*.test.ts', { cwd: root, exclude: ['test/docs/**'] }).filter((file) =>
      text(file).replaceAll(undone, '').includes('withNewestPgDump'),
    ),
  ).toEqual([]);
});
