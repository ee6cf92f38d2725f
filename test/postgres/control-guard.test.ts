import { expect, test } from 'vitest';
import { guardControlTables } from '../../src/postgres/control-guard.ts';
import { keepHeld, readHeld } from '../../src/migrations/data/held.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { readSeed } from '../../src/postgres/logical-seed/ledger.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { operatorRole } from '../../src/model/names.ts';
import { connectionTo, testMajor, withServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const held = `INSERT INTO verdigris.data_statement (number, version, position, digest, place, file, line, text, release)
  VALUES (1, '1', 1, '1', 'switch', 'x.sql', 1, 'ALTER ROLE app SUPERUSER', '1')`;

async function code(client: Client, sql: string): Promise<string | undefined> {
  return client.query(sql).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

test('who writes all data writes none of what Verdigris runs or believes later', async () => {
  await withServer(async (server) => {
    await withOwnSession(connectionTo(server, 'postgres'), 'test', async (client) => {
      await ensureControlSchema(client);
      await readSeed(client);
      await client.query(`CREATE ROLE app LOGIN IN ROLE pg_write_all_data, pg_read_all_data; CREATE ROLE named LOGIN;
        CREATE ROLE member IN ROLE named; GRANT USAGE ON SCHEMA verdigris TO named; GRANT INSERT ON verdigris.data_statement TO named;
        INSERT INTO verdigris.seed_statement VALUES (1, 'rest', '', 'SELECT 1')`);
      const tables = await rows<{ name: string }>(
        client,
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'verdigris'::regnamespace AND relkind = 'r'",
      );
      expect(tables.length).toBeGreaterThan(12);
      await client.query('SET SESSION AUTHORIZATION app');
      for (const { name } of tables)
        expect([name, await code(client, `DELETE FROM verdigris.${name}`)]).toEqual([name, '42501']);
      expect(await code(client, held)).toBe('42501');
      expect(await code(client, "UPDATE verdigris.seed_statement SET sql = 'x'")).toBe('42501');
      // A superuser's session that has become somebody else, as under ANALYZE and apply.
      await client.query('RESET SESSION AUTHORIZATION; SET ROLE app');
      expect(await code(client, held)).toBe('42501');
      await client.query("SET ROLE NONE; SET session_replication_role = 'replica'; SET ROLE app");
      expect(await code(client, held)).toBe('42501');
      await client.query('SET ROLE NONE; RESET session_replication_role; SET SESSION AUTHORIZATION member');
      expect(await code(client, held)).toBeUndefined();
      expect(await code(client, 'UPDATE verdigris.fence SET token = 9')).toBe('42501');
      await client.query(
        'RESET SESSION AUTHORIZATION; DELETE FROM verdigris.data_statement; UPDATE verdigris.fence SET token = 1',
      );
      // Again, and where a table came since.
      await client.query('CREATE TABLE verdigris.later (x int)');
      await guardControlTables(client);
      await client.query('SET SESSION AUTHORIZATION app');
      expect(await code(client, 'DELETE FROM verdigris.later')).toBe('42501');
    });
  });
});

test.runIf(testMajor >= 16)('nor does a subscription that applies rows as who writes all data', async () => {
  await withServer(async (server) => {
    const [here, there] = [connectionTo(server, 'postgres'), connectionTo(server, 'elsewhere')];
    await withOwnSession(here, 'test', async (client) => {
      await client.query('CREATE DATABASE elsewhere');
      await ensureControlSchema(client);
      await client.query(`CREATE ROLE app LOGIN IN ROLE pg_write_all_data, pg_read_all_data, pg_create_subscription;
        GRANT CREATE ON DATABASE postgres TO app`);
      await withOwnSession(there, 'test', async (publisher) => {
        await ensureControlSchema(publisher);
        for (const [table, write] of [
          ['data_statement', held],
          ['barrier', "INSERT INTO verdigris.barrier VALUES ('s', 99)"],
        ] as const) {
          await publisher.query(`CREATE PUBLICATION ${table} FOR TABLE verdigris.${table}`);
          await publisher.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [table]);
          await publisher.query(write);
          await client.query(`CREATE SUBSCRIPTION ${table}
            CONNECTION 'host=${server.sockets} port=${server.port} user=${operatorRole} dbname=elsewhere' PUBLICATION ${table}
            WITH (run_as_owner = true, password_required = false, copy_data = false, create_slot = false, enabled = false)`);
          await client.query(`ALTER SUBSCRIPTION ${table} OWNER TO app`);
          await client.query(`ALTER SUBSCRIPTION ${table} ENABLE`);
          const applied = await until('a row that is applied or refused', async () => {
            const seen = await one<{ errors: number; applied: number }>(
              client,
              `SELECT (SELECT apply_error_count::int FROM pg_stat_subscription_stats WHERE subname = $1) AS errors,
                (SELECT count(*)::int FROM verdigris.${table}) AS applied`,
              [table],
            );
            return seen.errors + seen.applied > 0 ? seen.applied : undefined;
          });
          expect([table, applied]).toEqual([table, 0]);
          await client.query(`ALTER SUBSCRIPTION ${table} DISABLE`);
          await client.query(`ALTER SUBSCRIPTION ${table} SET (slot_name = NONE)`);
          await client.query(`DROP SUBSCRIPTION ${table}`);
        }
      });
    });
  });
});

test('nor does he turn the order of what is held back around, by whatever sequence there is', async () => {
  await withServer(async (server) => {
    await withOwnSession(connectionTo(server, 'postgres'), 'test', async (client) => {
      await ensureControlSchema(client);
      await client.query('CREATE ROLE app LOGIN IN ROLE pg_write_all_data');
      const keep = (version: string) =>
        keepHeld(
          client,
          '2',
          { version, position: 0, file: `${version}.sql`, line: 1, text: `SELECT ${version}` },
          { tables: ['public.item'], asked: false },
        );
      const kept = async () => (await readHeld(client)).map(({ version }) => version);
      const setBack = `SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'verdigris'::regnamespace`;
      await keep('9');
      await client.query(`SET SESSION AUTHORIZATION app; ${setBack}; RESET SESSION AUTHORIZATION`);
      await keep('10');
      await keep('9');
      expect(await kept()).toEqual(['9', '10']);
      // A table that an earlier version made.
      await client.query('ALTER TABLE verdigris.data_statement ALTER number ADD GENERATED ALWAYS AS IDENTITY');
      await client.query(`SET SESSION AUTHORIZATION app; ${setBack}; RESET SESSION AUTHORIZATION`);
      await keep('11');
      expect(await kept()).toEqual(['9', '10', '11']);
    });
  });
});
