import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pure } from '../../vitest.config.ts';
import { root } from './sources.ts';

/** A server, a process, or what belongs to the whole process: its environment, its folder, its clock, its signals. */
const shared =
  /from '[^']*\/support\/(?!until|failure)|from '(?:execa|node:(?:child_process|net|http))'|\bprocess\.(?:env\[|chdir|on)|\bvi\.(?!importActual)/;

test('a file that shares its process with others leaves nothing there', () => {
  const files = pure.flatMap((pattern) => globSync(pattern, { cwd: root }));
  expect(files.length).toBeGreaterThan(50);
  expect(pure.filter((pattern) => globSync(pattern, { cwd: root }).length === 0)).toEqual([]);
  expect(files.filter((file) => shared.test(readFileSync(path.join(root, file), 'utf8')))).toEqual([]);
});
