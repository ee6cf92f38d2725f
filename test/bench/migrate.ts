import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withEnvironment } from '../support/environment.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { seconds, timed, type BenchRow } from './measure.ts';
import { makeTables } from './tables.ts';

const tables = 5_000;

/** Seconds that `migrate` may take of a release that changes one table of them. */
const goal = 20;

/** What the verbs of a release take where there are thousands of tables: all of it is reading of catalogues. */
export async function benchMigrate(show: (row: BenchRow) => void): Promise<void> {
  const migrations = await temporaryFolder();
  await writeFile(
    path.join(migrations, '0001_more.sql'),
    'ALTER TABLE t5 ADD COLUMN more int; CREATE TABLE t0 (id int)',
  );
  const settings = { max_locks_per_transaction: '2048', shared_buffers: '256MB' };
  await withEnvironment({ fill: (client) => makeTables(client, tables), migrations, settings }, async ({ verb }) => {
    for (const name of ['seed', 'migrate', 'verify', 'switch'] as const) {
      const took = await timed(() => verb(name));
      const budget = name === 'migrate' ? { goal: `≤ ${goal} s`, met: took.seconds <= goal } : {};
      show({ what: `${name}, ${tables} tables`, value: seconds(took.seconds), ...budget });
    }
  });
}
