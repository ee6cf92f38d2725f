import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { contractColumn } from '../../../src/migrations/expand-contract/recipes/contract.ts';
import { expandColumn, type Recipe } from '../../../src/migrations/expand-contract/recipes/expand.ts';
import { readOldColumn } from '../../../src/migrations/expand-contract/recipes/old.ts';
import { readPair, type Wanted } from '../../../src/migrations/expand-contract/recipes/pair.ts';
import { readTable, renameTableRecipe } from '../../../src/migrations/expand-contract/recipes/table.ts';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withDatabase } from '../../support/postgres.ts';

const schema = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.customer (id int PRIMARY KEY, name text NOT NULL DEFAULT 'nobody', age int, state text, mark json, at timestamptz);
  CREATE UNIQUE INDEX one_name ON shop.customer (name, age);
  ALTER TABLE shop.customer ADD CONSTRAINT grown CHECK (age > 0);
  CREATE VIEW shop.names AS SELECT id, name FROM shop.customer;
  CREATE TABLE shop.event (id int, day date, what text NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE shop.event_2026 PARTITION OF shop.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');`;

const customer = (column: string, fresh: string, rest: Partial<Wanted> = {}): Wanted => ({
  schema: 'shop',
  table: 'customer',
  column,
  fresh,
  ...rest,
});
const sqlOf = ({ files }: Recipe): string =>
  files
    .filter(({ name }) => name.endsWith('.sql'))
    .map(({ text }) => text)
    .join('\n');

async function findings(recipe: Recipe): Promise<string[]> {
  const known = { path: '1.sql', text: schema, applied: true };
  const report = await lintFiles([
    known,
    ...recipe.files
      .filter(({ name }) => name.endsWith('.sql'))
      .map(({ name, text }) => ({ path: `2_${name}`, text, applied: false })),
  ]);
  return report.findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, message }) => `${rule}: ${message}`);
}

/** Applies a recipe and returns its backfill. */
async function expand(client: Client, wanted: Wanted): Promise<{ recipe: Recipe; set: string; where: string }> {
  const recipe = expandColumn(await readPair(client, wanted));
  expect(await findings(recipe)).toEqual([]);
  await client.query(sqlOf(recipe));
  const { table, set, where, trigger } = parse(
    recipe.files.find(({ name }) => name.endsWith('.backfill.yaml'))?.text ?? '',
  ) as Record<string, string>;
  expect({ table, trigger }).toEqual({ table: `${wanted.schema}.${wanted.table}`, trigger: false });
  return { recipe, set: set ?? '', where: where ?? '' };
}

const applying = async (client: Client, use: () => Promise<unknown>): Promise<void> => {
  await client.query('SET session_replication_role = replica');
  try {
    await use();
  } finally {
    await client.query('SET session_replication_role = origin');
  }
};

test(
  'a rename: both shapes write, each sees the other, by clients and by replication',
  { timeout: 120_000 },
  async () => {
    await withDatabase(async (client) => {
      await client.query(schema);
      await client.query("INSERT INTO shop.customer (id, name) VALUES (1, 'old')");
      const { recipe, set, where } = await expand(client, customer('name', 'full_name'));
      expect(sqlOf(recipe)).toContain('--   view shop.names');
      const both = async (id: number): Promise<unknown> =>
        Object.values((await rows(client, 'SELECT name, full_name FROM shop.customer WHERE id = $1', [id]))[0] ?? {});

      // A row that was there before: the backfill fills it, and meets it once.
      expect((await client.query(`UPDATE shop.customer SET ${set} WHERE ${where}`)).rowCount).toBe(1);
      expect((await client.query(`UPDATE shop.customer SET ${set} WHERE ${where}`)).rowCount).toBe(0);
      expect(await both(1)).toEqual(['old', 'old']);

      for (const each of [
        (use: () => Promise<unknown>) => use().then(() => undefined),
        (use: () => Promise<unknown>) => applying(client, use),
      ]) {
        await client.query('DELETE FROM shop.customer WHERE id > 1');
        await each(() => client.query("INSERT INTO shop.customer (id, name, age) VALUES (2, 'by N', 2)"));
        expect(await both(2)).toEqual(['by N', 'by N']);
        await each(() => client.query("INSERT INTO shop.customer (id, full_name, age) VALUES (3, 'by N+1', 3)"));
        expect(await both(3)).toEqual(['by N+1', 'by N+1']);
        await each(() => client.query("UPDATE shop.customer SET full_name = 'N+1 again' WHERE id = 2"));
        expect(await both(2)).toEqual(['N+1 again', 'N+1 again']);
        await each(() => client.query("UPDATE shop.customer SET name = 'N again' WHERE id = 3"));
        expect(await both(3)).toEqual(['N again', 'N again']);
        await each(() => client.query("UPDATE shop.customer SET name = 'c', full_name = 'd' WHERE id = 3"));
        expect(await both(3)).toEqual(['d', 'd']);
        await each(() => client.query('INSERT INTO shop.customer (id, age) VALUES (4, 4)'));
        expect(await both(4)).toEqual(['nobody', 'nobody']);
      }
      // The NOT NULL of the old column holds for clients of either shape.
      for (const column of ['name', 'full_name'])
        await expect(client.query(`UPDATE shop.customer SET ${column} = NULL WHERE id = 1`)).rejects.toMatchObject({
          code: '23502',
          column: 'name',
          table: 'customer',
        });
      await expect(client.query("UPDATE shop.customer SET full_name = 'x', age = 7; ")).rejects.toMatchObject({
        code: '23505',
      });

      const wait = {
        object: 'shop.customer.name',
        replacedBy: 'shop.customer.full_name',
        kind: 'column',
        expandedBy: '2',
        usedBy: [],
        waitsFor: [],
      };
      const contraction = contractColumn({ ...(await readOldColumn(client, wait)), lastUsedBy: '1' });
      expect(await findings(contraction)).toEqual([]);
      await client.query('DROP VIEW shop.names');
      await client.query(sqlOf(contraction));
      await client.query('INSERT INTO shop.customer (id, age) VALUES (5, 5)');
      expect(await rows(client, 'SELECT full_name FROM shop.customer WHERE id = 5')).toEqual([{ full_name: 'nobody' }]);
      await expect(client.query('UPDATE shop.customer SET full_name = NULL')).rejects.toMatchObject({ code: '23502' });
      expect(
        await rows(
          client,
          "SELECT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
        ),
      ).toEqual([]);
    });
  },
);

test(
  'type changes: what one side cannot hold stops neither the live release nor replication',
  { timeout: 120_000 },
  async () => {
    await withDatabase(async (client) => {
      await client.query(schema);
      await expand(client, customer('age', 'age_big', { type: 'bigint' }));
      const age = async (): Promise<unknown> =>
        (await rows(client, 'SELECT age, age_big::text FROM shop.customer WHERE id = 1'))[0];
      await client.query('INSERT INTO shop.customer (id, age) VALUES (1, 40)');
      expect(await age()).toEqual({ age: 40, age_big: '40' });
      // A client is told; by replication only a release without the old column sends such a value.
      await expect(client.query('UPDATE shop.customer SET age_big = 5000000000')).rejects.toMatchObject({
        code: '22003',
      });
      await applying(client, () => client.query('UPDATE shop.customer SET age_big = 5000000000'));
      expect(await age()).toEqual({ age: null, age_big: '5000000000' });

      await expand(client, customer('state', 'code', { type: 'integer' }));
      const state = async (): Promise<unknown> =>
        (await rows(client, 'SELECT state, code FROM shop.customer WHERE id = 1'))[0];
      await client.query("UPDATE shop.customer SET state = 'seven'");
      expect(await state()).toEqual({ state: 'seven', code: null });
      await client.query("UPDATE shop.customer SET state = '007'");
      expect(await state()).toEqual({ state: '007', code: 7 });
      // A row that comes with both columns stays as it was sent.
      await applying(client, () => client.query("INSERT INTO shop.customer (id, state, code) VALUES (2, '010', 10)"));
      expect(await rows(client, 'SELECT state, code FROM shop.customer WHERE id = 2')).toEqual([
        { state: '010', code: 10 },
      ]);
      await client.query('UPDATE shop.customer SET code = 8 WHERE id = 1');
      expect(await state()).toEqual({ state: '8', code: 8 });

      const { set, where } = await expand(
        client,
        customer('at', 'second', {
          type: 'bigint',
          using: 'extract(epoch FROM at)::bigint',
          back: 'to_timestamp(second)',
        }),
      );
      await client.query("INSERT INTO shop.customer (id, at) VALUES (3, '1970-01-01 00:01:00.5+00')");
      expect(
        await rows(
          client,
          "SELECT second::int, at = '1970-01-01 00:01:00.5+00' AS same FROM shop.customer WHERE id = 3",
        ),
      ).toEqual([{ second: 61, same: true }].map((row) => ({ ...row, second: expect.any(Number) })));
      // What the way back would round stays as it is while nobody changes it.
      await client.query('UPDATE shop.customer SET age = 1 WHERE id = 3');
      expect(
        await rows(client, "SELECT at = '1970-01-01 00:01:00.5+00' AS same FROM shop.customer WHERE id = 3"),
      ).toEqual([{ same: true }]);
      expect((await client.query(`UPDATE shop.customer SET ${set} WHERE ${where}`)).rowCount).toBe(0);

      await expand(client, customer('mark', 'mark_b', { type: 'jsonb' }));
      await client.query(`UPDATE shop.customer SET mark = '{"a": 1}' WHERE id = 1`);
      expect(await rows(client, 'SELECT mark_b FROM shop.customer WHERE id = 1')).toEqual([{ mark_b: { a: 1 } }]);
    });
  },
);

test(
  'the trigger of a partitioned table fires on its partitions, for replication too',
  { timeout: 120_000 },
  async () => {
    await withDatabase(async (client) => {
      await client.query(schema);
      await expand(client, { schema: 'shop', table: 'event', column: 'what', fresh: 'kind' });
      await applying(client, () =>
        client.query("INSERT INTO shop.event (id, day, what) VALUES (1, '2026-05-05', 'seen')"),
      );
      await applying(client, () =>
        client.query("INSERT INTO shop.event_2026 (id, day, what) VALUES (2, '2026-05-05', 'seen')"),
      );
      expect(await rows(client, 'SELECT kind FROM shop.event')).toEqual([{ kind: 'seen' }, { kind: 'seen' }]);
    });
  },
);

test(
  'a table has a second name: read and written by both, by whoever may use the table and no further',
  { timeout: 120_000 },
  async () => {
    await withDatabase(async (client) => {
      await client.query(`${schema} CREATE ROLE writer; CREATE ROLE reader; CREATE ROLE nobody;
      GRANT USAGE ON SCHEMA shop TO PUBLIC; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON shop.customer TO writer;
      GRANT SELECT ON shop.customer TO reader WITH GRANT OPTION; GRANT UPDATE (age) ON shop.customer TO reader;
      ALTER TABLE shop.customer ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON shop.customer USING (state IS DISTINCT FROM 'hidden')`);
      const recipe = renameTableRecipe(await readTable(client, 'shop', 'customer', 'client'), 'client');
      expect(await findings(recipe)).toEqual([]);
      expect(sqlOf(recipe)).toContain('privileges of their own: age');
      await client.query(sqlOf(recipe));
      await client.query('SET ROLE writer');
      expect(await rows(client, 'INSERT INTO shop.client (id, age) VALUES (1, 3) RETURNING name')).toEqual([
        { name: 'nobody' },
      ]);
      await client.query(
        'INSERT INTO shop.client (id, age) VALUES (1, 4) ON CONFLICT (id) DO UPDATE SET age = excluded.age',
      );
      await client.query("UPDATE shop.customer SET name = 'by N' WHERE id = 1");
      expect(await rows(client, 'SELECT name, age FROM shop.client')).toEqual([{ name: 'by N', age: 4 }]);
      await client.query(
        "SET ROLE NONE; INSERT INTO shop.customer (id, age, state) VALUES (2, 5, 'hidden'); SET ROLE reader",
      );
      expect(await rows(client, 'SELECT id FROM shop.client')).toEqual([{ id: 1 }]);
      await expect(client.query('DELETE FROM shop.client')).rejects.toMatchObject({ code: '42501' });
      await client.query('SET ROLE nobody');
      await expect(client.query('SELECT FROM shop.client')).rejects.toMatchObject({ code: '42501' });
      await client.query('SET ROLE NONE');
      await expect(readTable(client, 'shop', 'customer', 'client')).rejects.toMatchObject({
        id: 'recipe-column',
        seen: expect.stringContaining('has a client already'),
      });
      await expect(readTable(client, 'shop', 'names', 'x')).rejects.toMatchObject({
        id: 'recipe-column',
        seen: expect.stringContaining('no table shop.names'),
      });
      await client.query('DROP VIEW shop.client; DROP OWNED BY writer, reader; DROP ROLE writer, reader, nobody');
    });
  },
);

test('no recipe is written where none can be right, and it is said why', { timeout: 120_000 }, async () => {
  await withDatabase(async (client) => {
    await client.query(
      `${schema} CREATE TABLE shop.odd (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED,
        number serial, one int GENERATED ALWAYS AS IDENTITY);`,
    );
    const cases: readonly [Wanted, RegExp][] = [
      [customer('nmae', 'x'), /no column nmae/],
      [customer('id', 'key'), /part of the key/],
      [customer('age', 'name'), /has a column name already/],
      [{ schema: 'shop', table: 'event', column: 'day', fresh: 'date' }, /part of the key/],
      [{ schema: 'shop', table: 'names', column: 'name', fresh: 'x' }, /no column of a table/],
      [{ schema: 'shop', table: 'odd', column: 'twice', fresh: 'x' }, /computed/],
      [{ schema: 'shop', table: 'odd', column: 'number', fresh: 'x' }, /owns a sequence/],
      [{ schema: 'shop', table: 'odd', column: 'one', fresh: 'x' }, /identity/],
      [customer('age', 'x', { type: 'integr' }), /no type there/],
      [customer('age', 'x', { type: 'int; DROP TABLE shop.customer' }), /more than a type/],
      [
        customer('age', 'x', { type: 'text', using: 'age) FROM shop.customer; DELETE FROM shop.customer; SELECT (1' }),
        /--using is/,
      ],
      [customer('mark', 'x', { type: 'integer' }), /expression fails/],
    ];
    for (const [wanted, message] of cases) {
      await expect(readPair(client, wanted).then(expandColumn), JSON.stringify(wanted)).rejects.toMatchObject({
        id: 'recipe-column',
        seen: expect.stringMatching(message),
      });
    }
  });
});
