import { readFile } from 'node:fs/promises';
import { diffSchema } from '../../../src/postgres/fingerprint/index.ts';
import { glance, movedCatalogues } from '../../../src/postgres/seal/glance.ts';
import { readObjects, readRewrites } from '../../../src/postgres/seal/objects.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { isSameCut } from '../../../src/postgres/part/cut.ts';
import { glanceAtPart } from '../../../src/postgres/part/glance.ts';
import { readPart } from '../../../src/postgres/part/read.ts';
import { withPart } from '../../support/part.ts';
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

const partOfIt = ['t', 'ch', 'idt', 'gent', 'pa', 'pol', 'ityped', 't0d', 'plain', 't0'].map(
  (name) => `public.${name}`,
);

/** Of the server, of the database as a whole, or of what is neither the part's nor PostgreSQL's own. */
const beside =
  /ON DATABASE|ACCESS METHOD|DEPENDS ON EXTENSION|ON PARAMETER|TABLESPACE|COMMENT ON (ROLE|SCHEMA public)|SUBSCRIPTION|pg_settings/;

/** Those of them that a glance at a part does not see, and reading all of the part finds; each made and taken back. */
export async function unnoticedOfPart(list: readonly string[]): Promise<{ faults: string[]; seen: number }> {
  const faults: string[] = [];
  let seen = 0;
  await withPart(await read('base.sql'), partOfIt, async (own, cut) => {
    const before = await objects(own);
    const still = await glanceAtPart(own, cut.carried);
    for (const statement of list.filter((each) => !beside.test(each))) {
      await own.query('BEGIN; SET LOCAL search_path = public');
      try {
        await own.query(statement);
        await own.query('SET LOCAL search_path = pg_catalog, pg_temp');
        if (movedCatalogues(still, await glanceAtPart(own, cut.carried)).length > 0) {
          seen += 1;
          continue;
        }
        const { cut: now } = await readPart(own, partOfIt);
        const named = diffSchema(before, await objects(own)).map(({ kind, identity }) => `${kind} ${identity}`);
        if (named.length > 0 || now.torn.length > 0 || !isSameCut(cut, now))
          faults.push(`not seen: ${statement} ${named.join(', ')}`);
      } catch (error) {
        faults.push(`${statement}: ${String(error)}`);
      } finally {
        await own.query('ROLLBACK');
      }
    }
  });
  return { faults, seen };
}
