import { expect, test } from 'vitest';
import { readColumn } from '../../../src/migrations/expand-contract/recipes/column.ts';
import type { Recipe } from '../../../src/migrations/expand-contract/recipes/expand.ts';
import { readHalves, secondHalf } from '../../../src/migrations/expand-contract/recipes/kept.ts';
import { columnsIn, readEnum, readKey, readUnique } from '../../../src/migrations/expand-contract/recipes/read.ts';
import { reshape } from '../../../src/migrations/expand-contract/recipes/reshape.ts';
import { splitTable } from '../../../src/migrations/expand-contract/recipes/split-table.ts';
import { readTable } from '../../../src/migrations/expand-contract/recipes/table.ts';
import { removeValue } from '../../../src/migrations/expand-contract/recipes/remove-value.ts';
import { foreignKey, newCheck, notNull, unique } from '../../../src/migrations/expand-contract/recipes/rules.ts';
import { tryCompare, tryOver } from '../../../src/migrations/expand-contract/recipes/try.ts';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withDatabase } from '../../support/postgres.ts';

const schema = `
  CREATE SCHEMA shop; CREATE SCHEMA far;
  CREATE DOMAIN far.code AS text;
  CREATE FUNCTION far.clean(text) RETURNS text LANGUAGE sql AS 'SELECT lower($1)';
  CREATE TYPE shop.mood AS ENUM ('sad', 'meh', 'ok');
  CREATE TABLE shop.country (code text PRIMARY KEY, name text);
  CREATE TABLE shop.item (id int PRIMARY KEY, v int, email text, country text, mood shop.mood DEFAULT 'meh', note json, code far.code);
  CREATE TABLE shop.place (id int PRIMARY KEY, street text, city text);
  CREATE TABLE shop.size (id int PRIMARY KEY, wide int CHECK (wide > 0), high int UNIQUE);
  CREATE TABLE shop.hidden (id int PRIMARY KEY, a text); ALTER TABLE shop.hidden ENABLE ROW LEVEL SECURITY;
  INSERT INTO shop.country VALUES ('ch', 'x'), ('de', 'x');`;
const item = { schema: 'shop', table: 'item' };
const place = { schema: 'shop', table: 'place' };

async function split(client: Client): Promise<Recipe> {
  const columns = [
    await readColumn(client, 'shop', 'place', 'street'),
    await readColumn(client, 'shop', 'place', 'city'),
  ];
  return splitTable(
    await readTable(client, 'shop', 'place', 'address'),
    'address',
    columns,
    await readKey(client, place),
  );
}

async function merge(client: Client): Promise<Recipe> {
  return reshape({
    old: [await readColumn(client, 'shop', 'size', 'wide'), await readColumn(client, 'shop', 'size', 'high')],
    fresh: [{ column: 'size', type: 'text', using: "wide || 'x' || high" }],
    back: [
      { column: 'wide', expression: "split_part(size, 'x', 1)::int" },
      { column: 'high', expression: "split_part(size, 'x', 2)::int" },
    ],
  });
}

const sqlOf = ({ files }: Recipe): string =>
  files.flatMap(({ name, text }) => (name.endsWith('.sql') ? [text] : [])).join('\n');

const lint = async (before: string, text: string): Promise<string[]> => {
  const report = await lintFiles([
    { path: '1.sql', text: before, applied: true },
    { path: '2.sql', text, applied: false },
  ]);
  return report.findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, message }) => `${rule}: ${message}`);
};

test('both halves of each recipe pass the linter, are tried as they are, and leave nothing behind', async () => {
  await withDatabase(async (client) => {
    await client.query(schema);
    const { values, uses } = await readEnum(client, 'shop', 'mood');
    const recipes = [
      notNull(item, 'v', '-1'),
      newCheck(item, 'positive', 'v >= 0', [{ column: 'v', expression: 'abs(v)' }], await columnsIn('v >= 0')),
      unique(item, ['email'], ['id'], [{ column: 'email', expression: "email || '+' || id" }]),
      foreignKey(item, 'country', { schema: 'shop', table: 'country', key: 'code' }, [
        { column: 'country', expression: 'NULL' },
      ]),
      removeValue({ schema: 'shop', name: 'mood', values }, 'meh', 'ok', uses),
      await merge(client),
      await split(client),
    ];
    for (const recipe of recipes) {
      expect(await lint(schema, sqlOf(recipe))).toEqual([]);
      await client.query(sqlOf(recipe));
    }
    const halves = await readHalves(client);
    expect(halves).toHaveLength(recipes.length);
    for (const half of halves) {
      const text = sqlOf(secondHalf(half, '1'));
      expect(await lint(`${schema}\n${recipes.map(sqlOf).join('\n')}`, text)).toEqual([]);
      await client.query(text);
    }
    expect(await rows(client, "SELECT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace")).toEqual([]);
  });
});

test("a function that acts as its owner is nobody else's to put on a table", async () => {
  await withDatabase(async (client) => {
    await client.query(schema);
    await client.query(sqlOf(await split(client)));
    await client.query('CREATE ROLE guest_of_halves; GRANT USAGE ON SCHEMA shop TO guest_of_halves');
    try {
      await client.query('SET ROLE guest_of_halves; CREATE TEMP TABLE mine (id int, street text, city text)');
      await expect(
        client.query('CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION shop.step_address_back()'),
      ).rejects.toThrow(/permission denied/);
    } finally {
      await client.query(
        'RESET ROLE; DROP TABLE IF EXISTS mine; DROP OWNED BY guest_of_halves; DROP ROLE guest_of_halves',
      );
    }
  });
});

test('split-table: a key that changes on either side takes its values along, for clients and for replicated rows', async () => {
  await withDatabase(async (client) => {
    await client.query(schema);
    await client.query(sqlOf(await split(client)));
    const both = (): Promise<unknown[]> =>
      rows(
        client,
        'SELECT p.id AS p, p.street AS old, a.id AS a, a.street AS new FROM shop.place p FULL JOIN shop.address a USING (id) ORDER BY 1, 3',
      );
    await client.query(
      "INSERT INTO shop.place VALUES (1, 'a', 'b'), (5, NULL, NULL); UPDATE shop.place SET id = 2 WHERE id = 1",
    );
    expect(await both()).toEqual([
      { p: 2, old: 'a', a: 2, new: 'a' },
      { p: 5, old: null, a: null, new: null },
    ]);
    await client.query('UPDATE shop.address SET id = 5 WHERE id = 2');
    expect(await both()).toEqual([
      { p: 2, old: null, a: null, new: null },
      { p: 5, old: 'a', a: 5, new: 'a' },
    ]);
    await client.query(
      'SET session_replication_role = replica; UPDATE shop.place SET id = 6 WHERE id = 5; RESET session_replication_role',
    );
    expect(await both()).toEqual([
      { p: 2, old: null, a: null, new: null },
      { p: 6, old: 'a', a: 6, new: 'a' },
    ]);
  });
});

test('merge-columns: what the old columns cannot hold is refused to clients, and does not stop replication', async () => {
  await withDatabase(async (client) => {
    await client.query(schema);
    const merged = sqlOf(await merge(client));
    expect(merged).toMatch(/hang on wide .*\n-- {3}constraint size_wide_check/);
    expect(merged).toMatch(/hang on high .*\n-- {3}unique index on high\n/);
    await client.query(merged);
    const insert = "INSERT INTO shop.size (id, size) VALUES (1, 'wide')";
    await expect(client.query(insert)).rejects.toThrow(/invalid input syntax/);
    await client.query(`SET session_replication_role = replica; ${insert}; RESET session_replication_role`);
    expect(await rows(client, 'SELECT * FROM shop.size')).toEqual([{ id: 1, wide: null, high: null, size: 'wide' }]);
  });
});

test('foreign-key: a parent that goes or gets another key leaves no reference to it behind', async () => {
  await withDatabase(async (client) => {
    const recipe = foreignKey(item, 'country', { schema: 'shop', table: 'country', key: 'code' }, [
      { column: 'country', expression: 'NULL' },
    ]);
    await client.query(`${schema}\n${sqlOf(recipe)}`);
    await client.query(`INSERT INTO shop.item (id, country) VALUES (1, 'ch'), (2, 'de'), (3, 'xx'), (4, 'ch');
      UPDATE shop.country SET name = 'y'; UPDATE shop.item SET country = 'de' WHERE id = 4`);
    const countries = async (): Promise<unknown[]> =>
      (await rows<{ country: unknown }>(client, 'SELECT country FROM shop.item ORDER BY id')).map(
        ({ country }) => country,
      );
    expect(await countries()).toEqual(['ch', 'de', null, 'de']);
    await client.query("UPDATE shop.country SET code = 'at' WHERE code = 'ch'");
    expect(await countries()).toEqual([null, 'de', null, 'de']);
    await client.query("DELETE FROM shop.country WHERE code = 'de'");
    expect(await countries()).toEqual([null, null, null, null]);
  });
});

test('no recipe is written that could not work', async () => {
  await withDatabase(async (client) => {
    await client.query(schema);
    for (const [refused, seen] of [
      [() => tryOver(client, item, ['far.clean(email)', 'clean(email)']), /clean\(text\) does not exist/],
      [() => tryCompare(client, item, ['note']), /operator does not exist: json = json/],
      [() => tryCompare(client, item, ['code']), /far\.code/],
      [
        () => readUnique(client, { schema: 'shop', table: 'country', key: 'name' }),
        /Nothing makes shop\.country\.name unique/,
      ],
      [() => tryOver(client, item, ['1); DROP TABLE shop.item; SELECT (1']), /is more than an expression/],
      [() => columnsIn('true'), /speaks of no column/],
      [() => columnsIn('v = (SELECT 1)'), /asks other rows/],
      [
        async () =>
          splitTable(
            await readTable(client, 'shop', 'hidden', 'part'),
            'part',
            [await readColumn(client, 'shop', 'hidden', 'a')],
            [],
          ),
        /row-level security/,
      ],
    ] as const)
      await expect(refused()).rejects.toMatchObject({ id: 'recipe-column', seen: expect.stringMatching(seen) });
  });
});
