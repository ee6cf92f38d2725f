import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { diffSchema } from '../../../src/postgres/fingerprint/index.ts';
import { glance, movedCatalogues } from '../../../src/postgres/seal/glance.ts';
import { readObjects, readRewrites } from '../../../src/postgres/seal/objects.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { testMajor, withDatabase } from '../../support/postgres.ts';

const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
const objects = async (client: Client) => [...(await readObjects(client)), ...(await readRewrites(client))];

test('every change of a live database that a switchover does not carry is noticed at a glance, and named', async () => {
  const base = await read('base.sql');
  const statements = (await read('statements.sql'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('--'))
    // PostgreSQL 17 brought it.
    .filter((line) => testMajor >= 17 || !line.includes('SET EXPRESSION'));
  expect(statements.length).toBeGreaterThan(150);
  await withDatabase(async (client) => {
    await client.query(base);
    const before = await objects(client);
    const still = await glance(client);
    const faults: string[] = [];
    for (const statement of statements) {
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
    expect(faults).toEqual([]);
    expect(movedCatalogues(still, await glance(client, still))).toEqual([]);
  });
});
