import { access, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { MigrationEngine } from '../../../src/migrations/engine.ts';
import { leftBehind, type Bench } from './support.ts';

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
}

/** What every engine must do alike: success, failure in the middle, interruption, second run. Leaves the next migration applied. */
export async function scenario(bench: Bench, { engine, next, first, second, own, knownAtFirst }: Scenario): Promise<void> {
  const { client, apply, tables, write, log } = bench;
  if (knownAtFirst) expect(await bench.rehearse(engine)).toContain('customers');
  else await expect(bench.rehearse(engine)).rejects.toMatchObject({ id: 'migration-effect-unknown' });
  expect(await tables()).toEqual([]);

  expect(await apply(engine)).toEqual(first);
  expect(await tables()).toEqual([...own, 'customers'].sort());
  expect(await leftBehind(client)).toEqual([]);
  expect(await readFile(log, 'utf8')).toContain('ended with 0');

  await write(next.file, next.text('CREATE TABLE half (id int PRIMARY KEY);\nSELECT 1/0;'));
  const failure = (await apply(engine).catch((error: unknown) => error)) as { seen: string };
  expect(failure).toMatchObject({ code: 'failed', id: 'migration-tool-failed', seen: expect.stringContaining('division by zero'), next: expect.stringMatching(/can be resumed.*live colour is untouched/s) });
  expect(await tables()).toEqual([...own, 'customers'].sort());
  expect(await leftBehind(client)).toEqual([]);

  await write(next.file, next.text('CREATE TABLE half (id int PRIMARY KEY);\nSELECT pg_sleep(100);'));
  expect(await bench.interrupt(engine)).toMatchObject({ code: 'interrupted', id: 'migration-interrupted', next: expect.stringContaining('live colour is untouched') });
  expect(await tables()).toEqual([...own, 'customers'].sort());
  expect(await leftBehind(client)).toEqual([]);

  await write(next.file, next.text('CREATE TABLE orders (id int PRIMARY KEY);'));
  expect(await bench.rehearse(engine)).toContain('orders');
  expect(await tables()).not.toContain('orders');
  expect(await engine.pending(client)).toEqual(second);
  expect(await apply(engine)).toEqual(second);
  expect(await apply(engine)).toEqual([]);
  expect(await tables()).toEqual([...own, 'customers', 'orders'].sort());
  expect(await leftBehind(client)).toEqual([]);
  expect(await readFile(log, 'utf8')).not.toMatch(/password=|verdigris_migration:[\w-]{8}/);
}

export async function remove(bench: Bench, file: string): Promise<void> {
  const full = path.join(bench.folder, file);
  await access(full);
  await rm(full);
}
