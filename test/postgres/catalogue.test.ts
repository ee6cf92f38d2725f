import { expect, test } from 'vitest';
import { readTables } from '../../src/postgres/catalogue.ts';
import { one } from '../../src/postgres/client.ts';
import { withDatabase } from '../support/postgres.ts';

test('reads tables with keys, identities, generated columns, domains and partitions', async () => {
  const tables = await withDatabase(async (client) => {
    await client.query(`
      CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
      CREATE TABLE a (x int, y text NOT NULL DEFAULT '', z int GENERATED ALWAYS AS (x + 1) STORED, c cents, PRIMARY KEY (y, x));
      CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
      CREATE UNLOGGED TABLE u (x int); ALTER TABLE u REPLICA IDENTITY FULL;
      CREATE TEMP TABLE t (x int)`);
    return readTables(client);
  });
  expect(
    tables.map((table) => [
      table.name,
      table.partitioned,
      table.persistence,
      table.primaryKey,
      table.identity,
      table.replicaIdentity,
    ]),
  ).toEqual([
    ['a', false, 'permanent', ['y', 'x'], ['y', 'x'], 'default'],
    ['p', true, 'permanent', ['id', 'at'], ['id', 'at'], 'default'],
    ['u', false, 'unlogged', [], [], 'full'],
  ]);
  expect(
    tables[0]?.columns.map(({ name, type, baseType, hasDefault, generated, notNull }) => [
      name,
      type,
      baseType,
      hasDefault,
      generated,
      notNull,
    ]),
  ).toEqual([
    ['x', 'integer', 'pg_catalog.int4', false, false, true],
    ['y', 'text', 'pg_catalog.text', true, false, true],
    ['z', 'integer', 'pg_catalog.int4', false, true, false],
    ['c', 'public.cents', 'pg_catalog.int8', false, false, false],
  ]);
  expect(tables[0]?.columns.map(({ stored, constrained }) => [stored, constrained]).at(-1)).toEqual(['bigint', true]);
  expect(tables[1]?.columns[0]?.hasDefault).toBe(true);
});

test('names are printed alike in a session that has the settings of the database', async () => {
  await withDatabase(async (client) => {
    await client.query('CREATE DOMAIN odd AS text; CREATE TABLE a (x odd PRIMARY KEY)');
    const plain = await readTables(client);
    await client.query('SET quote_all_identifiers = on');
    expect(await readTables(client)).toEqual(plain);
    expect(await one(client, 'SHOW quote_all_identifiers')).toEqual({ quote_all_identifiers: 'on' });
  });
});
