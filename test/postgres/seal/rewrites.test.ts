import { expect, test } from 'vitest';
import { one } from '../../../src/postgres/client.ts';
import { readRewriters, readRewrites } from '../../../src/postgres/seal/objects.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';

test('the publication of a stream is among what may be altered; that of a witness, which ends by itself, is not', () =>
  withDatabase(async (client) => {
    const published = async () =>
      (await readRewrites(client)).filter(({ kind }) => kind === 'publication of').map(({ definition }) => definition);
    await client.query('CREATE TABLE item (id int PRIMARY KEY)');
    await client.query('CREATE PUBLICATION verdigris_shop_1_blue_to_green_proof FOR TABLE item');
    expect(await published()).toEqual([]);
    await client.query('CREATE PUBLICATION verdigris_shop_2_green_to_blue FOR TABLE item');
    expect(await published()).toEqual([
      expect.stringMatching(/^verdigris_shop_2_green_to_blue written by \d+, \d+$/) as string,
    ]);
  }));

test('a session whose last statement gave a table another file is named with its pid and the statement', () =>
  withDatabase(async (client, server) => {
    await client.query('CREATE TABLE item (id int PRIMARY KEY)');
    const database = client.database ?? '';
    await withClient(connectionTo(server, database), 'test', async (reader) => {
      await reader.query('SELECT 1');
      await withClient(connectionTo(server, database), 'test', async (other) => {
        const { pid } = await one<{ pid: number }>(other, 'SELECT pg_backend_pid() AS pid');
        await other.query('VACUUM (FULL)\n  item');
        expect(await readRewriters(client)).toEqual([
          expect.stringMatching(new RegExp(`^session ${pid} of \\w+ \\(.*\\): VACUUM \\(FULL\\) item$`)) as string,
        ]);
        // What others wrote into a statement is theirs.
        await other.query(
          "ALTER TABLE item ADD COLUMN told text DEFAULT 'a secret'\n, ADD COLUMN more text DEFAULT $$another$$",
        );
        const [session, ...rest] = await readRewriters(client);
        expect(rest).toEqual([]);
        expect(session).toMatch(/: ALTER TABLE item ADD COLUMN told text DEFAULT …$/);
      });
    });
  }));
