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

test('the database that a seed makes on a server that others run orders text as the live one does', async () => {
  await withExternalServer(testMajor, async (blue) => {
    await withClient(blue.superuser, 'test', async (client) => {
      for (const [role, secret] of Object.entries(credentials))
        await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
      await client.query(turkish);
    });
    await withClient({ ...blue.superuser, database: 'shop' }, 'test', async (client) => {
      await prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
      await client.query(byText);
    });
    await withExternalServer(testMajor, async (green) => {
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
        await verb('abandon');
      });
    });
  });
});
