import { access, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { MigrationEngine } from '../../../src/migrations/engine.ts';
import { rows } from '../../../src/postgres/client.ts';
import { answered, asked, code, codeCount, objects } from './chinook.ts';
import { leftBehind, type Bench } from './support.ts';
import { failure } from '../../support/failure.ts';

export interface Scenario {
  readonly engine: MigrationEngine;
  /** The file of the migration that the scenario writes again and again, and what stands in it. */
  readonly next: { readonly file: string; readonly text: (sql: string) => string };
  /** What `apply` says of the example and of the next migration. */
  readonly first: unknown;
  readonly second: unknown;
  /** Tables of the engine's own. */
  readonly own: readonly string[];
  /** Whether what comes is known before the engine's first run too. */
  readonly knownAtFirst: boolean;
  /** Whether it is a program of its own, whose output is kept. */
  readonly tool: boolean;
}

/**
 * What every engine must do alike: success, failure in the middle, interruption, second run; on Chinook, with a
 * migration of 38 functions, views and triggers, of which all come or none. Leaves it applied.
 */
export async function scenario(
  bench: Bench,
  { engine, next, first, second, own, knownAtFirst, tool }: Scenario,
): Promise<void> {
  const { client, apply, tables, write, log } = bench;
  if (knownAtFirst) expect(await bench.rehearse(engine)).toContain('customers');
  else await expect(bench.rehearse(engine)).rejects.toMatchObject({ id: 'migration-effect-unknown' });
  expect(await tables()).toEqual([]);

  expect(await apply(engine)).toEqual(first);
  expect(await tables()).toEqual([...own, 'customers'].sort());
  expect(await leftBehind(client)).toEqual([]);
  if (tool) expect(await readFile(log, 'utf8')).toContain('ended with 0');
  await bench.loadChinook();
  const [stored, before] = [await code(), await objects(client)];
  const none = async (): Promise<void> => {
    expect(await tables()).toEqual([...own, 'customers'].sort());
    expect(await objects(client)).toBe(before);
    expect(await leftBehind(client)).toEqual([]);
  };

  await write(next.file, next.text(`${stored}\nCREATE TABLE half (id int PRIMARY KEY);\nSELECT 1/0;`));
  const failed = await failure(apply(engine));
  expect(failed).toMatchObject({
    code: 'failed',
    id: tool ? 'migration-tool-failed' : 'migration-failed',
    seen: expect.stringContaining('division by zero'),
    next: expect.stringMatching(/can be resumed.*live colour is untouched/s),
  });
  await none();

  await write(next.file, next.text(`${stored}\nSELECT pg_sleep(100);`));
  expect(await bench.interrupt(engine)).toMatchObject({
    code: 'interrupted',
    id: 'migration-interrupted',
    next: expect.stringMatching(tool ? /live colour is untouched/ : /can be resumed.*live colour is untouched/),
  });
  await none();

  await write(next.file, next.text(`${stored}\nCREATE TABLE orders (id int PRIMARY KEY);`));
  expect(await bench.rehearse(engine)).toContain('orders');
  await none();
  expect(await engine.pending(client)).toEqual(second);
  expect(await apply(engine)).toEqual(second);
  expect(await apply(engine)).toEqual([]);
  expect(await tables()).toEqual([...own, 'change_log', 'customers', 'orders'].sort());
  expect(await objects(client)).toBe(before + codeCount);
  expect(await rows(client, asked)).toEqual(answered);
  expect(await leftBehind(client)).toEqual([]);
  if (tool) expect(await readFile(log, 'utf8')).not.toMatch(/password=|verdigris_migration:[\w-]{8}/);
}

export async function remove(bench: Bench, file: string): Promise<void> {
  const full = path.join(bench.folder, file);
  await access(full);
  await rm(full);
}
