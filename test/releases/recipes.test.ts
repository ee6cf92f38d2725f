import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { one, rows } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { until } from '../support/until.ts';
import { moving } from './moving.ts';

const shared = 10;
const tables = ['need', 'positive', 'single', 'home', 'feeling', 'worn', 'whole', 'pair', 'place'];

const schema = `CREATE SCHEMA shop;
  CREATE TYPE shop.mood AS ENUM ('sad', 'meh', 'ok');
  CREATE TABLE shop.country (code text PRIMARY KEY); INSERT INTO shop.country VALUES ('ch'), ('de');
  CREATE TABLE shop.need (id int PRIMARY KEY, v int);
  CREATE TABLE shop.positive (id int PRIMARY KEY, v int);
  CREATE TABLE shop.single (id int PRIMARY KEY, email text);
  CREATE TABLE shop.home (id int PRIMARY KEY, country text);
  CREATE TABLE shop.feeling (id int PRIMARY KEY, mood shop.mood DEFAULT 'meh');
  CREATE TABLE shop.worn (id int PRIMARY KEY, shoe int NOT NULL);
  CREATE TABLE shop.whole (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE shop.pair (id int PRIMARY KEY, first text, last text);
  CREATE TABLE shop.place (id int PRIMARY KEY, street text, city text);
  INSERT INTO shop.whole SELECT i, 'Old ' || i FROM generate_series(1, ${shared}) i;
  INSERT INTO shop.pair SELECT i, 'Old', i FROM generate_series(1, ${shared}) i;
  INSERT INTO shop.place SELECT i, 'old street', i FROM generate_series(1, ${shared}) i;
  GRANT USAGE ON SCHEMA shop TO shop_app; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO shop_app`;

/** The first half of each, as a user would call it. */
const recipes: readonly (readonly string[])[] = [
  ['not-null', 'shop.need', 'v', '--fill', '-1'],
  ['check', 'shop.positive', 'positive_v', 'v >= 0', '--repair', 'v = abs(v)'],
  ['unique', 'shop.single', 'email', '--repair', "email = email || '+' || id"],
  ['foreign-key', 'shop.home', 'country', 'shop.country.code'],
  ['remove-value', 'shop.mood', 'meh', 'ok'],
  ['drop-column', 'shop.worn', 'shoe', '--default', '0'],
  [
    ...['split-column', 'shop.whole', 'name', "first text = split_part(name, ' ', 1)"],
    ...["last text = split_part(name, ' ', 2)", '--back', "first || ' ' || last"],
  ],
  [
    ...['merge-columns', 'shop.pair', 'first,last', "full_name text = first || ' ' || last"],
    ...['--back', "first = split_part(full_name, ' ', 1), last = split_part(full_name, ' ', 2)"],
  ],
  ['split-table', 'shop.place', 'address', 'street,city'],
];
const contracts = [
  ...['shop.need.v', 'shop.positive.positive_v', 'shop.single.single_email_key', 'shop.home.home_country_fkey'],
  ...['shop.mood', 'shop.whole.name', 'shop.pair.first', 'shop.place.street'],
];

/** How far a row goes whose key changes. */
const moved = 100_000_000;
const bad = (k: number): boolean => k % 3 === 0;
type Software = (k: number) => readonly string[];

/** Writes what N+1 will not allow, now and then, and shares rows with it. */
const softwareN: Software = (k) => [
  `INSERT INTO shop.need VALUES (${k}, ${bad(k) ? 'NULL' : k})`,
  `INSERT INTO shop.positive VALUES (${k}, ${bad(k) ? -k : k})`,
  `INSERT INTO shop.single VALUES (${k}, '${bad(k) ? 'twin' : `m${k}`}')`,
  `INSERT INTO shop.home VALUES (${k}, '${bad(k) ? 'xx' : 'ch'}')`,
  bad(k) ? `INSERT INTO shop.feeling (id) VALUES (${k})` : `INSERT INTO shop.feeling VALUES (${k}, 'ok')`,
  `INSERT INTO shop.worn VALUES (${k}, 42)`,
  `INSERT INTO shop.whole (id, name) VALUES (${k}, 'Ann B${k}')`,
  `UPDATE shop.whole SET name = 'Eve C${k}' WHERE id = ${k}`,
  `INSERT INTO shop.pair (id, first, last) VALUES (${k}, 'Ann', 'B${k}')`,
  `UPDATE shop.pair SET first = 'Eve', last = 'C${k}' WHERE id = ${k}`,
  `INSERT INTO shop.place (id, street, city) VALUES (${k}, 's${k}', 'c${k}')`,
  `UPDATE shop.place SET street = 't${k}' WHERE id = ${k}`,
  `INSERT INTO shop.place (id, street, city) VALUES (${-k}, 'moved', 'm'); UPDATE shop.place SET id = ${-k - moved} WHERE id = ${-k}`,
  `UPDATE shop.whole SET name = 'N ${k}' WHERE id = ${1 + (k % shared)}`,
  `UPDATE shop.pair SET first = 'N', last = '${k}' WHERE id = ${1 + (k % shared)}`,
  `UPDATE shop.place SET street = ${bad(k) ? 'NULL, city = NULL' : `'n${k}', city = 'n'`} WHERE id = ${1 + (k % shared)}`,
];

const softwareNext: Software = (k) => [
  `INSERT INTO shop.need VALUES (${k}, ${k})`,
  `INSERT INTO shop.positive VALUES (${k}, ${k})`,
  `INSERT INTO shop.single VALUES (${k}, 'm${k}')`,
  `INSERT INTO shop.home VALUES (${k}, 'de')`,
  `INSERT INTO shop.feeling VALUES (${k}, 'sad')`,
  `INSERT INTO shop.worn (id) VALUES (${k})`,
  `INSERT INTO shop.whole (id, first, last) VALUES (${k}, 'Ann', 'B${k}')`,
  `UPDATE shop.whole SET first = 'Eve', last = 'C${k}' WHERE id = ${k}`,
  `INSERT INTO shop.pair (id, full_name) VALUES (${k}, 'Ann B${k}')`,
  `UPDATE shop.pair SET full_name = 'Eve C${k}' WHERE id = ${k}`,
  `INSERT INTO shop.place (id) VALUES (${k})`,
  `INSERT INTO shop.address (id, street, city) VALUES (${k}, 's${k}', 'c${k}')`,
  `UPDATE shop.address SET street = 't${k}' WHERE id = ${k}`,
  `UPDATE shop.whole SET first = 'Next', last = '${k}' WHERE id = ${1 + (k % shared)}`,
  `UPDATE shop.pair SET full_name = 'Next ${k}' WHERE id = ${1 + (k % shared)}`,
  `INSERT INTO shop.address (id, street, city) VALUES (${1 + (k % shared)}, 'x${k}', 'x')
    ON CONFLICT (id) DO UPDATE SET street = excluded.street, city = excluded.city`,
];

/** Acknowledged transactions by their number: whether software N made it. */
type Log = Map<number, 'N' | 'next'>;

/** No two clients write the same numbers. */
let first = 0;

/** One client: a transaction after another, the rows in the order of the tables, so that two of them never deadlock. */
function start(settings: ConnectionSettings, name: 'N' | 'next', from: number, log: Log, errors: string[]) {
  let [stopping, k] = [false, from];
  const software = name === 'N' ? softwareN : softwareNext;
  const running = (async () => {
    while (!stopping) {
      await withClient(settings, 'software', async (client) => {
        for (; !stopping; await sleep(25)) {
          const number = ++k;
          await client.query(`BEGIN; ${software(number).join('; ')}; COMMIT`);
          log.set(number, name);
        }
      }).catch((error: unknown) => errors.push(String(error)));
    }
  })();
  return { written: () => k - from, stop: async () => ((stopping = true), running) };
}

/** Software of these releases at work until `use` has ended. */
async function withSoftware(
  at: ConnectionSettings,
  names: readonly ('N' | 'next')[],
  log: Log,
  errors: string[],
  use: () => Promise<void>,
): Promise<void> {
  const clients = names.map((name) => start(at, name, (first += 100_000), log, errors));
  const some = (count: number) =>
    until('the software writes', () => clients.every(({ written }) => written() >= count), 60_000);
  try {
    await some(10);
    await use();
    await some(Math.max(...clients.map(({ written }) => written())) + 10);
  } finally {
    await Promise.all(clients.map(({ stop }) => stop()));
  }
}

test(
  'each recipe goes through two releases and two rollbacks while the software of both writes: no row is lost, both shapes agree, the rule is kept in the end',
  { timeout: 900_000 },
  async () => {
    await withEnvironment({ fill: async (client) => void (await client.query(schema)) }, async (test) => {
      const { declare, verbs, command, address, migrations } = moving(test);
      const [log, errors]: [Log, string[]] = [new Map(), []];
      const recipe = (...args: readonly string[]): Promise<void> => command('expand-contract', ...args);
      const software = async (names: readonly ('N' | 'next')[], use: () => Promise<void>): Promise<void> =>
        withSoftware(await address(), names, log, errors, use);
      const there = async (colour: Colour): Promise<void> => {
        const written = [...log.keys()];
        await test.on(colour, async (client) => {
          for (const table of tables) {
            const found = await rows<{ id: number }>(client, `SELECT id FROM shop.${table}`);
            const ids = new Set(found.map(({ id }) => id));
            expect(
              written.filter((id) => !ids.has(id)),
              `${colour} ${table}`,
            ).toEqual([]);
          }
        });
      };
      const agree = (colour: Colour): Promise<void> =>
        test.on(colour, async (client) => {
          for (const query of [
            "SELECT * FROM shop.whole WHERE name IS DISTINCT FROM first || ' ' || last",
            "SELECT * FROM shop.pair WHERE full_name IS DISTINCT FROM first || ' ' || last",
            `SELECT * FROM shop.place p FULL JOIN shop.address a USING (id)
              WHERE (p.street, p.city) IS DISTINCT FROM (a.street, a.city) OR p.id IS NULL`,
          ])
            expect(await rows(client, query), query).toEqual([]);
        });

      await declare('blue', '1', '2');
      for (const each of recipes) await recipe(...each);
      expect(await readdir(migrations)).toHaveLength(11);
      await software(['N'], async () => {
        await verbs('seed', 'migrate', 'verify', 'switch');
        await software(['next'], async () => Promise.resolve());
      });
      await there('green');
      await agree('green');
      await software(['N'], () => verbs('rollback'));
      await there('blue');
      await software(['N'], async () => {
        await verbs('verify', 'switch');
        await software(['next'], async () => Promise.resolve());
      });
      await there('green');
      await agree('green');
      await verbs('retire');

      await declare('green', '3', '2');
      for (const object of contracts) await recipe('contract', object);
      await recipe('contract', 'shop.worn.shoe', '--last-used-by', '1');
      for (const name of await readdir(migrations))
        if (name.endsWith('.backfill.yaml')) await rm(path.join(migrations, name));
      // What software N wrote after the rollback came without the repair: the second half says how it is done.
      await test.on('green', async (client) => {
        await client.query(`UPDATE shop.need SET v = -1 WHERE v IS NULL; UPDATE shop.positive SET v = abs(v) WHERE v < 0;
          UPDATE shop.single AS given SET email = email || '+' || id WHERE EXISTS (SELECT FROM shop.single o WHERE o.email = given.email AND o.id < given.id);
          UPDATE shop.home SET country = NULL WHERE country = 'xx'; UPDATE shop.feeling SET mood = 'ok' WHERE mood = 'meh'`);
      });
      await software(['next'], () => verbs('seed', 'migrate', 'verify', 'switch'));
      await there('blue');
      await software(['next'], () => verbs('rollback'));
      await there('green');
      await agree('green');
      await software(['next'], () => verbs('verify', 'switch'));
      await there('blue');
      await verbs('retire');

      expect(errors).toEqual([]);
      await test.on('blue', async (client) => {
        const found = async (query: string) =>
          new Map((await rows<{ id: number; v: unknown }>(client, query)).map(({ id, v }) => [id, v]));
        const expected = (of: (k: number, broken: boolean) => unknown) =>
          [...log].map(([k, by]) => [k, of(k, by === 'N' && bad(k))]);
        const are = async (query: string, of: (k: number, broken: boolean) => unknown): Promise<void> => {
          const all = await found(query);
          expect(
            [...log.keys()].map((k) => [k, all.get(k)]),
            query,
          ).toEqual(expected(of));
        };
        await are('SELECT id, v FROM shop.need', (k, broken) => (broken ? -1 : k));
        await are('SELECT id, v FROM shop.positive', (k) => k);
        await are('SELECT id, mood::text AS v FROM shop.feeling', (k, broken) =>
          broken || log.get(k) === 'N' ? 'ok' : 'sad',
        );
        await are('SELECT id, country AS v FROM shop.home', (k, broken) =>
          broken ? null : log.get(k) === 'N' ? 'ch' : 'de',
        );
        await are("SELECT id, first || '.' || last AS v FROM shop.whole", (k) => `Eve.C${k}`);
        await are('SELECT id, full_name AS v FROM shop.pair', (k) => `Eve C${k}`);
        await are("SELECT id, street || '.' || city AS v FROM shop.address", (k) => `t${k}.c${k}`);
        expect(await one(client, 'SELECT count(*) = count(DISTINCT email) AS same FROM shop.single')).toEqual({
          same: true,
        });
        const rules = await rows<{ rule: string }>(
          client,
          `SELECT conname AS rule FROM pg_constraint WHERE connamespace = 'shop'::regnamespace AND convalidated
            AND conname = ANY ('{positive_v,single_email_key,home_country_fkey}')
          UNION ALL SELECT attname FROM pg_attribute WHERE attrelid = 'shop.need'::regclass AND attname = 'v' AND attnotnull
          UNION ALL SELECT enumlabel FROM pg_enum ORDER BY 1`,
        );
        expect(rules.map(({ rule }) => rule).sort()).toEqual([
          'home_country_fkey',
          'ok',
          'positive_v',
          'sad',
          'single_email_key',
          'v',
        ]);
        expect(
          await rows(
            client,
            `SELECT attname FROM pg_attribute WHERE attrelid::regclass::text ~ '^shop[.]'
            AND attname IN ('shoe', 'name', 'street', 'city') AND attrelid <> 'shop.address'::regclass`,
          ),
        ).toEqual([]);
        expect(await rows(client, "SELECT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace")).toEqual([]);
      });
    });
  },
);
