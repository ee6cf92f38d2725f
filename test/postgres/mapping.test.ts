import { expect, test } from 'vitest';
import { readTables } from '../../src/postgres/catalogue.ts';
import { mapTables } from '../../src/postgres/mapping.ts';
import { withDatabase } from '../support/postgres.ts';

/** What is found where a column changes its type on the other side: nothing, or the id of the finding. */
const changes: readonly (readonly [from: string, to: string, found: string | undefined])[] = [
  ['integer', 'bigint', undefined],
  ['bigint', 'integer', 'type-narrowed'],
  ['smallint', 'double precision', undefined],
  ['boolean', 'text', undefined],
  ['interval', 'text', undefined],
  ['text', 'boolean', 'type-narrowed'],
  ['boolean', 'bytea', 'type-changed'],
  ['varchar(20)', 'varchar(40)', undefined],
  ['varchar(20)', 'text', undefined],
  ['varchar(40)', 'varchar(20)', 'type-narrowed'],
  ['text', 'varchar(20)', 'type-narrowed'],
  ['integer', 'varchar(20)', 'type-narrowed'],
  ['numeric(10,2)', 'numeric(12,2)', undefined],
  ['numeric(10,2)', 'numeric', undefined],
  ['numeric', 'numeric(10,2)', 'type-narrowed'],
  // One digit fewer before the point although there are more in all; and a digit fewer after it, which rounds without a
  // word.
  ['numeric(10,2)', 'numeric(12,5)', 'type-narrowed'],
  ['numeric(10,4)', 'numeric(12,2)', 'type-narrowed'],
  ['integer', 'numeric(5,0)', 'type-narrowed'],
  ['timestamp(6)', 'timestamp(3)', 'type-narrowed'],
  ['wide', 'varchar(30)', undefined],
  ['varchar(40)', 'wide', 'type-narrowed'],
  ['varchar(30)', 'wide', undefined],
  ['varchar(30)', 'wider', undefined],
  ['bigint', 'positive', 'type-narrowed'],
  ['positive', 'bigint', undefined],
  ['bigint', 'alias_of_positive', 'type-narrowed'],
];

test('tells conversions that never fail from those that may and those that cannot be', async () => {
  const found = await withDatabase(async (client) => {
    await client.query(`
      CREATE DOMAIN wide AS varchar(30);
      CREATE DOMAIN wider AS wide;
      CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
      CREATE DOMAIN alias_of_positive AS positive`);
    const read = async (types: readonly string[]) => {
      await client.query(
        `CREATE TABLE t (id int PRIMARY KEY, ${types.map((type, place) => `c${place} ${type}`).join(', ')})`,
      );
      const tables = await readTables(client);
      await client.query('DROP TABLE t');
      return tables;
    };
    const [from, to] = [await read(changes.map(([type]) => type)), await read(changes.map(([, type]) => type))];
    const { findings } = mapTables(from, to, 'forward');
    return changes.map(([before, after], place) => [
      before,
      after,
      findings.find(({ objects }) => objects.includes(`public.t.c${place}`))?.id,
    ]);
  });
  expect(found).toEqual(changes.map((change) => [...change]));
});
