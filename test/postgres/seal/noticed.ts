import { readFile } from 'node:fs/promises';
import { diffSchema } from '../../../src/postgres/fingerprint/index.ts';
import { glance, movedCatalogues } from '../../../src/postgres/seal/glance.ts';
import { readObjects, readRewrites } from '../../../src/postgres/seal/objects.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { testMajor, withDatabase } from '../../support/postgres.ts';

const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
const objects = async (client: Client) => [...(await readObjects(client)), ...(await readRewrites(client))];

/** What changes a database and is not carried by a switchover: one statement a line of statements.sql. */
export async function statements(): Promise<string[]> {
  return (
    (await read('statements.sql'))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('--'))
      // PostgreSQL 17 brought it.
      .filter((line) => testMajor >= 17 || !line.includes('SET EXPRESSION'))
  );
}

/** Those of them that a glance does not see or the comparison does not name, each made and taken back. */
export async function unnoticed(list: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  await withDatabase(async (client) => {
    await client.query(await read('base.sql'));
    const before = await objects(client);
    const still = await glance(client);
    for (const statement of list) {
      await client.query('BEGIN');
      try {
        await client.query(statement);
        if (movedCatalogues(still, await glance(client, still)).length === 0) faults.push(`not seen: ${statement}`);
        if (diffSchema(before, await objects(client)).length === 0) faults.push(`not named: ${statement}`);
      } catch (error) {
        faults.push(`${statement}: ${String(error)}`);
      } finally {
        await client.query('ROLLBACK');
      }
    }
    const moved = movedCatalogues(still, await glance(client, still));
    if (moved.length > 0) faults.push(`seen although taken back: ${moved.join(', ')}`);
  });
  return faults;
}
