import { beforeAll, expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords, declaredServer, withExternalServer } from '../support/external.ts';
import { testMajor } from '../support/postgres.ts';

beforeAll(withNewestPgDump);

const turkish =
  "CREATE DATABASE shop TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LC_COLLATE 'C' LC_CTYPE 'C'";

/** In the order of C, letters in capitals would belong into the other partition. */
const byText = `
  CREATE TABLE word (text text PRIMARY KEY) PARTITION BY RANGE (text);
  CREATE TABLE word_a PARTITION OF word FOR VALUES FROM (MINVALUE) TO ('m');
  CREATE TABLE word_z PARTITION OF word FOR VALUES FROM ('m') TO (MAXVALUE);
  INSERT INTO word SELECT chr(64 + n) || 'x' FROM generate_series(1, 26) n;
  INSERT INTO word SELECT chr(96 + n) || 'x' FROM generate_series(1, 26) n;`;

/** Within the data directory. Of both the candidate has one. */
const spaces = (...names: readonly string[]): readonly string[] => [
  'SET allow_in_place_tablespaces = on',
  ...names.map((name) => `CREATE TABLESPACE "${name}" LOCATION ''`),
];

/** One after the other in the dump: what has no place there must not follow what has. */
const inSpaces = `
  CREATE TABLE in_a (id int PRIMARY KEY USING INDEX TABLESPACE "of b", v int) TABLESPACE "of a";
  CREATE TABLE in_b (id int PRIMARY KEY, v int) TABLESPACE "of b";
  CREATE UNIQUE INDEX in_b_v ON in_b (v) TABLESPACE "of a" WHERE v > 0;
  INSERT INTO in_a SELECT n, n FROM generate_series(1, 9) n;
  INSERT INTO in_b SELECT n, n FROM generate_series(1, 9) n;`;

/** Where tables and indexes of that lie: in the database's own tablespace, or one of this name. */
const places = `SELECT relname AS name, spcname AS space, (SELECT sum(v)::int FROM in_a) + (SELECT sum(v)::int FROM in_b) AS sum
  FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE relname ~ '^in_[ab]' ORDER BY relname`;

test('the database that a seed makes on a server that others run orders text as the live one does, in tablespaces that are there', async () => {
  await withExternalServer(testMajor, async (blue) => {
    await withClient(blue.superuser, 'test', async (client) => {
      for (const [role, secret] of Object.entries(credentials))
        await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
      await client.query(turkish);
      for (const each of spaces('of a', 'of b')) await client.query(each);
    });
    await withClient({ ...blue.superuser, database: 'shop' }, 'test', async (client) => {
      await prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
      await client.query(byText);
      await client.query(inSpaces);
    });
    await withExternalServer(testMajor, async (green) => {
      await withClient(green.superuser, 'test', async (client) => {
        for (const each of spaces('of a')) await client.query(each);
      });
      const declaration = {
        colours: {
          blue: { release: '1', postgres: testMajor, server: declaredServer(blue) },
          green: { release: '2', postgres: testMajor, server: declaredServer(green) },
        },
        local: { passwords: declaredPasswords },
      };
      await withEnvironment({ declaration, existing: credentials }, async ({ verb, on }) => {
        await verb('seed');
        const held = () =>
          Promise.all(
            (['blue', 'green'] as const).map((colour) =>
              on(colour, (client) =>
                rows(client, 'SELECT text, tableoid::regclass::text AS place FROM word ORDER BY 1'),
              ),
            ),
          );
        const [live, candidate] = await held();
        expect(candidate).toEqual(live);
        expect(candidate).toHaveLength(52);
        expect(await on('green', (client) => rows(client, places))).toEqual([
          { name: 'in_a', space: 'of a', sum: 90 },
          { name: 'in_a_pkey', space: null, sum: 90 },
          { name: 'in_b', space: null, sum: 90 },
          { name: 'in_b_pkey', space: null, sum: 90 },
          { name: 'in_b_v', space: 'of a', sum: 90 },
        ]);
        // The two schemas are alike but for where they lie.
        await verb('migrate');
        await verb('abandon');
      });
    });
  });
});
