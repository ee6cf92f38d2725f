import { seedByTables, type TablesSeed } from '../../../src/postgres/logical-seed/tables.ts';
import { seedFromSnapshot, type SnapshotSeed } from '../../../src/postgres/logical-seed/snapshot.ts';

/** An operator to be killed: seeds as it is told, and says how far it has come, a line each. */
const { method, ...seed } = JSON.parse(process.argv[2] ?? '') as { method: 'snapshot' | 'tables' } & Omit<
  SnapshotSeed & TablesSeed,
  'signal' | 'onProgress'
>;
const run = method === 'snapshot' ? seedFromSnapshot : seedByTables;
await run({
  ...seed,
  signal: new AbortController().signal,
  onProgress: (progress) => process.stdout.write(`${JSON.stringify(progress)}\n`),
});
