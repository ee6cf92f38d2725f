import { expect, test } from 'vitest';
import { contractions, expansions } from '../../../src/migrations/expand-contract/shape.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { readSchema } from '../../../src/postgres/fingerprint/index.ts';
import { mapTables } from '../../../src/postgres/mapping.ts';
import { withDatabase } from '../../support/postgres.ts';

const old = `
  CREATE SCHEMA shop;
  CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN shop.name AS text;
  CREATE TABLE shop.customer (id bigserial PRIMARY KEY, name text NOT NULL, note text, age int NOT NULL DEFAULT 0, long varchar(50), mood shop.mood);
  CREATE TABLE shop.spare (id int PRIMARY KEY);
  CREATE TABLE shop.event (id int, day date, what text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE shop.event_2026 PARTITION OF shop.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE VIEW shop.adults AS SELECT id, name, age FROM shop.customer;
  CREATE FUNCTION shop.total(customer bigint) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';`;

/** What each statement takes from software that knows the old shape. */
const cases: readonly [string, readonly string[]][] = [
  ['ALTER TABLE shop.customer DROP COLUMN note', ['shop.customer.note is gone']],
  ['DROP TABLE shop.spare', ['shop.spare is gone']],
  ['ALTER TABLE shop.spare RENAME TO reserve', ['shop.spare is gone']],
  ['ALTER TABLE shop.customer RENAME COLUMN note TO remark', ['shop.customer.note is gone']],
  ['ALTER TABLE shop.event DROP COLUMN what', ['shop.event.what is gone']],
  ['DROP VIEW shop.adults', ['shop.adults is gone']],
  ['DROP VIEW shop.adults; CREATE VIEW shop.adults AS SELECT id, name FROM shop.customer', ['shop.adults.age is gone']],
  ['DROP FUNCTION shop.total(bigint)', ['shop.total(bigint) is gone']],
  [
    "DROP FUNCTION shop.total(bigint); CREATE FUNCTION shop.total(customer bigint) RETURNS text LANGUAGE sql AS $$SELECT '1'$$",
    ['shop.total(bigint) returns text, which was integer'],
  ],
  ['ALTER TABLE shop.customer ALTER note SET NOT NULL', ['shop.customer.note no longer takes NULL']],
  [
    'ALTER TABLE shop.customer ALTER age DROP DEFAULT',
    ['shop.customer.age must be given: it is required, and its default is gone'],
  ],
  ['ALTER TABLE shop.customer ALTER long TYPE varchar(20)', ['shop.customer.long takes fewer values than before']],
  [
    'ALTER TABLE shop.customer ADD CONSTRAINT grown CHECK (age > 17)',
    ['shop.customer.grown refuses rows that were taken before'],
  ],
  [
    'CREATE UNIQUE INDEX one_name ON shop.customer (name)',
    ['shop.customer.one_name refuses rows that were taken before'],
  ],
  ["ALTER DOMAIN shop.name ADD CONSTRAINT given CHECK (VALUE <> '')", ['shop.name is not as wide as before']],
  ["ALTER TYPE shop.mood RENAME VALUE 'sad' TO 'blue'", ['shop.mood is not as wide as before']],
  ['CREATE SCHEMA old; ALTER FUNCTION shop.total(bigint) SET SCHEMA old', ['shop.total(bigint) is gone']],
  // What widens, or is new as a whole, takes nothing from anybody.
  [
    'ALTER TABLE shop.customer ADD COLUMN full_name text; ALTER TABLE shop.customer ADD CONSTRAINT known CHECK (full_name IS NOT NULL) NOT VALID; CREATE UNIQUE INDEX ON shop.customer (full_name)',
    [],
  ],
  ["ALTER TYPE shop.mood ADD VALUE 'happy'", []],
  ['ALTER TABLE shop.customer ALTER long TYPE text, ALTER name DROP NOT NULL', []],
  ['DROP FUNCTION shop.touch()', []],
  ["CREATE OR REPLACE FUNCTION shop.total(customer bigint) RETURNS int LANGUAGE sql AS 'SELECT 2'", []],
  [
    "CREATE TABLE shop.event_2027 PARTITION OF shop.event FOR VALUES FROM ('2027-01-01') TO ('2028-01-01'); ALTER TABLE shop.event DETACH PARTITION shop.event_2026; DROP TABLE shop.event_2026",
    [],
  ],
];

async function effect(client: Client, sql: string): Promise<{ taken: string[]; added: string[] }> {
  const before = { tables: await readTables(client), schema: await readSchema(client) };
  await client.query('BEGIN');
  try {
    await client.query(sql);
    const after = { tables: await readTables(client), schema: await readSchema(client) };
    return {
      taken: contractions(before.schema, after.schema, mapTables(before.tables, after.tables, 'forward').findings).map(
        ({ object, what }) => `${object} ${what}`,
      ),
      added: expansions(before.schema, after.schema).map(({ object, kind }) => `${kind} ${object}`),
    };
  } finally {
    await client.query('ROLLBACK');
  }
}

test(
  'what takes from software N is found from the catalogue, and what only adds is not',
  { timeout: 120_000 },
  async () => {
    await withDatabase(async (client) => {
      await client.query(old);
      for (const [sql, expected] of cases) expect((await effect(client, sql)).taken, sql).toEqual(expected);
    });
  },
);

test('what a release adds is listed by its largest part', { timeout: 120_000 }, async () => {
  await withDatabase(async (client) => {
    await client.query(old);
    expect(
      (
        await effect(
          client,
          'CREATE TABLE shop.made (id serial PRIMARY KEY, x int); ALTER TABLE shop.customer ADD COLUMN full_name text; CREATE VIEW shop.all AS SELECT id FROM shop.customer',
        )
      ).added,
    ).toEqual(['column shop.customer.full_name', 'table shop.made', 'view shop.all']);
  });
});
