import { expect, test } from 'vitest';
import { waitFor } from '../../../src/model/wait.ts';
import { contractColumn } from '../../../src/migrations/expand-contract/recipes/contract.ts';
import { expandColumn, type Recipe } from '../../../src/migrations/expand-contract/recipes/expand.ts';
import { readOldColumn } from '../../../src/migrations/expand-contract/recipes/old.ts';
import { readPair } from '../../../src/migrations/expand-contract/recipes/pair.ts';
import type { Wait } from '../../../src/migrations/expand-contract/waits.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { mapTables } from '../../../src/postgres/mapping.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';

const sqlOf = ({ files }: Recipe): string =>
  files
    .filter(({ name }) => name.endsWith('.sql'))
    .map(({ text }) => text)
    .join('\n');
const all = 'SELECT * FROM public.person ORDER BY id';

test(
  'the columns of two releases stay in step through apply, with the column lists of a release, in both directions',
  { timeout: 120_000 },
  async () => {
    await withServer(async (server) => {
      const names = ['n', 'n1', 'n2'] as const;
      await withClient(connectionTo(server), 'test', async (client) => {
        for (const name of names) await client.query(`CREATE DATABASE ${name}`);
      });
      await withClient(connectionTo(server, 'n'), 'test', (n) =>
        withClient(connectionTo(server, 'n1'), 'test', (n1) =>
          withClient(connectionTo(server, 'n2'), 'test', async (n2) => {
            for (const client of [n, n1, n2])
              await client.query('CREATE TABLE public.person (id int PRIMARY KEY, name text NOT NULL, age int)');
            for (const client of [n1, n2]) {
              await client.query(
                sqlOf(
                  expandColumn(
                    await readPair(client, { schema: 'public', table: 'person', column: 'name', fresh: 'full_name' }),
                  ),
                ),
              );
              await client.query(
                sqlOf(
                  expandColumn(
                    await readPair(client, {
                      schema: 'public',
                      table: 'person',
                      column: 'age',
                      fresh: 'age_big',
                      type: 'bigint',
                    }),
                  ),
                ),
              );
            }
            for (const [object, replacedBy] of [
              ['public.person.name', 'public.person.full_name'],
              ['public.person.age', 'public.person.age_big'],
            ] as const) {
              const wait: Wait = { object, replacedBy, kind: 'column', expandedBy: '2', usedBy: [], waitsFor: [] };
              await n2.query(sqlOf(contractColumn({ ...(await readOldColumn(n2, wait)), lastUsedBy: '1' })));
            }

            /**
             * Replication of what both sides have, as a release derives it, for the length of `use`; it ends with
             * everything applied.
             */
            const stream = async (from: Client, to: Client, use: () => Promise<unknown>): Promise<void> => {
              const { published, findings } = mapTables(await readTables(from), await readTables(to), 'forward');
              expect(findings.filter(({ grade }) => grade === 'refuse')).toEqual([]);
              const database = (await rows<{ name: string }>(from, 'SELECT current_database() AS name'))[0]?.name ?? '';
              await from.query(
                `CREATE PUBLICATION p FOR TABLE public.person ${published[0]?.columns ? `(${published[0].columns.join(', ')})` : ''}`,
              );
              await from.query("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
              await to.query(
                `CREATE SUBSCRIPTION s CONNECTION 'host=${server.sockets} port=${server.port} ` +
                  `dbname=${database} user=verdigris_operator' PUBLICATION p WITH (copy_data = false, create_slot = false)`,
              );
              try {
                await use();
                const [{ lsn } = { lsn: '' }] = await rows<{ lsn: string }>(
                  from,
                  'SELECT pg_current_wal_lsn()::text AS lsn',
                );
                await waitFor(
                  async () =>
                    (
                      await rows<{ passed: boolean }>(
                        from,
                        "SELECT confirmed_flush_lsn >= $1::pg_lsn AS passed FROM pg_replication_slots WHERE slot_name = 's'",
                        [lsn],
                      )
                    )[0]?.passed
                      ? true
                      : undefined,
                  { limit: 60_000, every: 20, what: 'everything applied', next: 'see the server log.' },
                );
              } finally {
                await to
                  .query('ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE)')
                  .then(() => to.query('DROP SUBSCRIPTION s'));
                await waitFor(
                  async () =>
                    await from.query("SELECT pg_drop_replication_slot('s')").then(
                      () => true,
                      () => undefined,
                    ),
                  { limit: 60_000, every: 20, what: 'the slot dropped', next: '' },
                );
                await from.query('DROP PUBLICATION p');
              }
            };

            // The live release on the live colour; the candidate knows both columns.
            await stream(n, n1, async () => {
              await n.query("INSERT INTO person VALUES (1, 'one', 1), (2, 'two', NULL)");
              await n.query("UPDATE person SET name = 'ONE', age = 11 WHERE id = 1");
              await n.query('UPDATE person SET age = 2 WHERE id = 2');
            });
            expect(await rows(n1, all)).toEqual([
              { id: 1, name: 'ONE', age: 11, full_name: 'ONE', age_big: '11' },
              { id: 2, name: 'two', age: 2, full_name: 'two', age_big: '2' },
            ]);

            // After the switchover both write there, and the retained colour gets the old columns of both.
            await stream(n1, n, async () => {
              await n1.query("UPDATE person SET full_name = 'uno', age_big = age_big + 1 WHERE id = 1");
              await n1.query('UPDATE person SET age = age + 1 WHERE id = 1');
              await n1.query("INSERT INTO person (id, full_name, age_big) VALUES (3, 'three', 3)");
              await n1.query("INSERT INTO person (id, name, age) VALUES (4, 'four', 4)");
              await n1.query('DELETE FROM person WHERE id = 2');
            });
            expect(await rows(n, all)).toEqual([
              { id: 1, name: 'uno', age: 13 },
              { id: 3, name: 'three', age: 3 },
              { id: 4, name: 'four', age: 4 },
            ]);
            expect(
              await rows(
                n1,
                'SELECT id FROM person WHERE name IS DISTINCT FROM full_name OR age IS DISTINCT FROM age_big',
              ),
            ).toEqual([]);

            // The release after contracts: its candidate has the new columns alone, and the way back fills the old
            // ones.
            await n2.query(
              "INSERT INTO person (id, full_name, age_big) VALUES (1, 'uno', 13), (3, 'three', 3), (4, 'four', 4)",
            );
            await stream(n1, n2, () => n1.query("UPDATE person SET full_name = 'FOUR', age_big = 44 WHERE id = 4"));
            expect(await rows(n2, 'SELECT full_name, age_big FROM person WHERE id = 4')).toEqual([
              { full_name: 'FOUR', age_big: '44' },
            ]);
            await stream(n2, n1, async () => {
              await n2.query("INSERT INTO person (id, full_name, age_big) VALUES (5, 'five', 5)");
              await n2.query("UPDATE person SET full_name = 'tre' WHERE id = 3");
              // What the old type cannot hold does not stop the way back: no software of the release before reads it.
              await n2.query('UPDATE person SET age_big = 5000000000 WHERE id = 4');
            });
            expect(await rows(n1, all)).toEqual([
              { id: 1, name: 'uno', age: 13, full_name: 'uno', age_big: '13' },
              { id: 3, name: 'tre', age: 3, full_name: 'tre', age_big: '3' },
              { id: 4, name: 'FOUR', age: null, full_name: 'FOUR', age_big: '5000000000' },
              { id: 5, name: 'five', age: 5, full_name: 'five', age_big: '5' },
            ]);
          }),
        ),
      );
    });
  },
);
