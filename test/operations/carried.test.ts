import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';

/** What a feed writes under a replication origin of its own, in a session that goes on. */
async function feed(client: Client, from: number): Promise<void> {
  await client.query(
    "SELECT pg_replication_origin_create('loader') WHERE NOT EXISTS (SELECT FROM pg_replication_origin WHERE roname = 'loader')",
  );
  await client.query("SELECT pg_replication_origin_session_setup('loader')");
  await client.query('BEGIN');
  await client.query("SELECT pg_replication_origin_xact_setup(('0/' || $1)::pg_lsn, now())", [from]);
  await client.query('INSERT INTO public.item SELECT g FROM generate_series($1::int, $1 + 9) g', [from]);
  await client.query('COMMIT');
  await client.query('SELECT pg_replication_origin_session_reset()');
}

const found = async (client: Client) => ({
  fed: (await rows<{ lsn: string }>(client, "SELECT pg_replication_origin_progress('loader', false)::text AS lsn"))[0]
    ?.lsn,
  items: (await rows(client, 'SELECT FROM public.item')).length,
  next: (await rows<{ id: string }>(client, "SELECT nextval('public.c_id_seq')::text AS id"))[0]?.id,
  logins: (
    await rows<{ name: string }>(
      client,
      "SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'shop%' ORDER BY 1",
    )
  ).map(({ name }) => name),
  ran: (await rows<{ v: string }>(client, 'SELECT version AS v FROM public.schema_migrations ORDER BY 1')).map(
    ({ v }) => v,
  ),
});

test("writes under an origin, set sequences, locked roles and a tool's history are as they were, after a switchover and a rollback", async () => {
  const fill = async (client: Client) => {
    await client.query(
      `CREATE TABLE public.item (id int PRIMARY KEY); CREATE TABLE public.c (id serial PRIMARY KEY);
        CREATE TABLE public.schema_migrations (version text PRIMARY KEY)`,
    );
  };
  await withEnvironment({ fill }, async ({ verb, on }) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    await on('blue', async (client) => {
      await feed(client, 1);
      await client.query("SELECT setval('public.c_id_seq', 401, false); ALTER ROLE shop_reader NOLOGIN");
      await client.query("INSERT INTO public.schema_migrations VALUES ('1')");
    });
    await verb('switch');
    expect(await on('green', found)).toEqual({ fed: '0/1', items: 10, next: '401', logins: ['shop_app'], ran: ['1'] });
    await on('green', async (client) => {
      await feed(client, 101);
      await client.query(
        "SELECT setval('public.c_id_seq', 901, false); ALTER ROLE shop_reader LOGIN; ALTER ROLE shop_app NOLOGIN",
      );
      await client.query("INSERT INTO public.schema_migrations VALUES ('2')");
    });
    await verb('rollback');
    expect(await on('blue', found)).toEqual({
      fed: '0/101',
      items: 20,
      next: '901',
      logins: ['shop_reader'],
      ran: ['1', '2'],
    });
  });
});
