import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';

/** What people set for all sessions of a database, and what reaches processes of the server as well. */
const settings: Readonly<Record<string, string>> = {
  statement_timeout: '1ms',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
  idle_session_timeout: '1ms',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  session_replication_role: 'local',
  row_security: 'off',
  standard_conforming_strings: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  DateStyle: 'German',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Tokyo',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  search_path: 'aside',
  synchronous_commit: 'off',
  check_function_bodies: 'off',
  array_nulls: 'off',
  xmloption: 'document',
  role: 'clerk',
};

test('whatever ALTER DATABASE sets for clients, a release goes through, carries exactly, and back, and the settings stay', async () => {
  const fill = async (client: { query(text: string): Promise<unknown> }) => {
    await client.query(`CREATE ROLE clerk; CREATE SCHEMA aside;
      CREATE TABLE public.fact (id serial PRIMARY KEY, at timestamptz, f float8, i interval, b bytea, t text, a text[], x xml);
      CREATE TABLE aside.fact (id int PRIMARY KEY);
      CREATE MATERIALIZED VIEW public.facts AS SELECT count(*) AS n FROM public.fact;
      CREATE TABLE public.part (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE public.part_1 PARTITION OF public.part FOR VALUES FROM (0) TO (1000)`);
    for (const [name, value] of Object.entries(settings))
      await client.query(`ALTER DATABASE shop SET ${name} = '${value}'`);
  };
  await withEnvironment({ fill }, async ({ on, verb, platform }) => {
    const write = async (): Promise<void> => {
      const { live } = await readJournal(platform.journal);
      await on(live, (client) =>
        client.query(`SET ROLE NONE; INSERT INTO public.fact (at, f, i, b, t, a, x)
          SELECT '2024-02-29 12:34:56.789+09', 1.0 / 3 + g, '1 mon -1 day 00:00:00.1', decode('00ff', 'hex'),
            E'\\\\ it''s', ARRAY['a', NULL], XMLPARSE(CONTENT 'a<b/>') FROM generate_series(1, 20) g;
          INSERT INTO public.part SELECT count(*) FROM public.fact`),
      );
    };
    const seen = async () =>
      on((await readJournal(platform.journal)).live, async (client) => [
        (await client.query('SET ROLE NONE')).rowCount,
        await one(
          client,
          "SELECT count(*)::int AS rows, md5(string_agg(format('%s', f), ',' ORDER BY id)) AS digest FROM public.fact f",
        ),
        await rows(
          client,
          "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = 'shop'",
        ),
      ]);
    await write();
    for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback'] as const) {
      await write();
      const before = await seen();
      await verb(each);
      expect(await seen(), each).toEqual(before);
    }
    // Servers of tests know no locale whose amounts of money another one reads otherwise.
    const text = await on('blue', (client) =>
      rows(client, "SELECT FROM pg_db_role_setting WHERE 'lc_monetary=C' = ANY (setconfig)"),
    );
    expect(text, 'of who sends and of who applies').toHaveLength(2);
  });
});
