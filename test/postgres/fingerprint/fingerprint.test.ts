import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { serverAccount } from '../../../src/platform/local/account.ts';
import { testBinaries } from '../../support/binaries.ts';
import { initServer, removeServer, startServer } from '../../../src/platform/local/server.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import {
  describeSchemaDifference,
  diffSchema,
  digestSchema,
  readSchema,
} from '../../../src/postgres/fingerprint/index.ts';
import { connectionTo, temporaryFolder, testMajor, withDatabase } from '../../support/postgres.ts';
import { sampleRoles, sampleSchema } from './schema.ts';
import { freePort } from '../../../src/platform/local/ports.ts';

/**
 * Each statement, the difference that it must make (`change kind identity`), in the order in which diffSchema gives
 * them.
 */
const ddl: readonly (readonly [statement: string, ...differences: string[]])[] = [
  ['ALTER TABLE app.orders ADD COLUMN extra text', 'added column app.orders.extra'],
  ['ALTER TABLE app.orders ALTER COLUMN extra SET DEFAULT 5', 'changed column app.orders.extra'],
  ['ALTER TABLE app.orders ALTER COLUMN extra SET NOT NULL', 'changed column app.orders.extra'],
  ['ALTER TABLE app.orders ALTER COLUMN extra SET STATISTICS 500', 'changed column app.orders.extra'],
  ['ALTER TABLE app.orders ALTER COLUMN extra SET STORAGE EXTERNAL', 'changed column app.orders.extra'],
  [
    'ALTER TABLE app.orders RENAME COLUMN extra TO more',
    'added column app.orders.more',
    'removed column app.orders.extra',
  ],
  ['ALTER TABLE app.orders ALTER COLUMN more TYPE varchar(30)', 'changed column app.orders.more'],
  ['ALTER TABLE app.orders DROP COLUMN more', 'removed column app.orders.more'],
  ["COMMENT ON COLUMN app.orders.total IS 'in cents'", 'added comment table column app.orders.total'],
  ["COMMENT ON TABLE app.orders IS 'bought'", 'changed comment table app.orders'],
  ["COMMENT ON EXTENSION plpgsql IS 'ours'", 'added comment extension plpgsql'],
  ["COMMENT ON TABLESPACE pg_default IS 'fast'", 'added comment tablespace pg_default'],
  ['ALTER TABLESPACE pg_default SET (random_page_cost = 1.1)', 'added tablespace pg_default'],
  ['ALTER TABLESPACE pg_default SET (random_page_cost = 1.2)', 'changed tablespace pg_default'],
  ['ALTER TABLESPACE pg_default RESET (random_page_cost)', 'removed tablespace pg_default'],
  ['GRANT INSERT ON app.orders TO writers', 'changed grants app.orders'],
  ['GRANT SELECT (mail) ON app.customers TO readers', 'added grants app.customers.mail'],
  ['GRANT USAGE ON SCHEMA app TO readers WITH GRANT OPTION', 'added grants schema app'],
  ['GRANT EXECUTE ON FUNCTION app.double(int) TO PUBLIC', 'removed grants function app.double(integer)'],
  [
    'GRANT EXECUTE ON FUNCTION app.gen_random_bytes(int) TO readers',
    'added grants function app.gen_random_bytes(integer)',
  ],
  ['REVOKE USAGE ON TYPE app.status FROM PUBLIC', 'added grants type app.status'],
  [
    'ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO writers',
    'changed default grants verdigris_operator app r',
  ],
  [
    "CREATE OR REPLACE FUNCTION app.double(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + x'",
    'changed function app.double(integer)',
  ],
  ['ALTER FUNCTION app.double(int) SET search_path = app', 'changed function app.double(integer)'],
  [
    'CREATE FUNCTION app.double(x bigint) RETURNS bigint LANGUAGE sql RETURN x * 2',
    'added function app.double(bigint)',
  ],
  [
    "DROP AGGREGATE app.total(int); CREATE AGGREGATE app.total(int) (sfunc = int4pl, stype = int, initcond = '1')",
    'changed aggregate app.total(integer)',
  ],
  ['ALTER TABLE app.customers ENABLE ALWAYS TRIGGER touch', 'changed trigger touch on app.customers'],
  ['ALTER TABLE app.customers DISABLE RULE no_delete', 'changed rule no_delete on app.customers'],
  ["ALTER TYPE app.status ADD VALUE 'sent' AFTER 'new'", 'changed type app.status'],
  ['ALTER TYPE app.pair ADD ATTRIBUTE c int', 'changed type app.pair'],
  ['ALTER DOMAIN app.cents DROP CONSTRAINT positive', 'changed domain app.cents'],
  ['ALTER SEQUENCE app.tickets INCREMENT BY -6', 'changed sequence app.tickets'],
  ['ALTER SEQUENCE app.tickets OWNED BY app.orders.total', 'changed sequence app.tickets'],
  ['ALTER TABLE app.orders ADD CONSTRAINT later CHECK (id > 0) NOT VALID', 'added constraint later on app.orders'],
  ['ALTER TABLE app.orders VALIDATE CONSTRAINT later', 'changed constraint later on app.orders'],
  ['CREATE INDEX by_total ON app.orders (total)', 'added index app.by_total'],
  ["UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.by_total'::regclass", 'changed index app.by_total'],
  ['DROP INDEX app.by_total', 'removed index app.by_total'],
  ['ALTER TABLE app.orders REPLICA IDENTITY FULL', 'changed table app.orders'],
  ['ALTER TABLE app.orders SET (fillfactor = 80)', 'changed table app.orders'],
  ['ALTER TABLE app.customers SET (toast.autovacuum_enabled = off)', 'changed table app.customers'],
  ['ALTER TABLE "Odd name"."Odd table" SET UNLOGGED', 'changed table "Odd name"."Odd table"'],
  [
    'ALTER TABLE app.orders OWNER TO writers',
    'changed statistics app.orders_stats',
    'changed grants app.orders',
    'changed sequence app.orders_id_seq',
    'changed sequence app.tickets',
    'changed table app.orders',
  ],
  ['ALTER TABLE app.customers FORCE ROW LEVEL SECURITY', 'changed table app.customers'],
  ['ALTER POLICY own ON app.customers TO readers', 'changed policy own on app.customers'],
  [
    'ALTER TABLE app.events DETACH PARTITION app.events_2026',
    'changed constraint events_2026_pkey on app.events_2026',
    'changed index app.events_2026_pkey',
    'changed table app.events_2026',
  ],
  [
    "CREATE TABLE app.events_2027 PARTITION OF app.events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    'added column app.events_2027.at',
    'added column app.events_2027.id',
    'added constraint events_2027_pkey on app.events_2027',
    'added index app.events_2027_pkey',
    'added grants app.events_2027',
    'added table app.events_2027',
  ],
  [
    "CREATE OR REPLACE VIEW app.open_orders AS SELECT id, total FROM app.orders WHERE state = 'paid'",
    'changed view app.open_orders',
  ],
  ['ALTER STATISTICS app.orders_stats SET STATISTICS 7', 'changed statistics app.orders_stats'],
  ['ALTER STATISTICS app.orders_stats OWNER TO writers', 'changed statistics app.orders_stats'],
  ['ALTER STATISTICS app.orders_stats OWNER TO CURRENT_USER', 'changed statistics app.orders_stats'],
  ['ALTER EVENT TRIGGER audit DISABLE', 'changed event trigger audit'],
  ['ALTER PUBLICATION cdc SET TABLE app.orders', 'changed publication cdc'],
  ['CREATE SCHEMA verdigrisfarm', 'added schema verdigrisfarm'],
  ['CREATE CAST (app.status AS int) WITH INOUT', 'added cast app.status as integer'],
  ['ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR email', 'changed text search app.search'],
  ['ALTER TABLE app.orders DISABLE TRIGGER ALL', 'added trigger customer_fk on app.orders'],
  ['DROP EXTENSION pgcrypto', 'removed extension pgcrypto', 'removed grants function app.gen_random_bytes(integer)'],
];

/** What must change nothing. */
const idle: readonly string[] = [
  'ANALYZE',
  'VACUUM',
  "INSERT INTO app.customers (name) VALUES ('a'), ('b')",
  'UPDATE app.customers SET mail = name',
  "SELECT nextval('app.tickets')",
  'REFRESH MATERIALIZED VIEW app.totals',
  'SET search_path = app, "Odd name"',
  "SET timezone = 'Asia/Tokyo'",
  "SET datestyle = 'German'",
  'SET quote_all_identifiers = on',
  'CREATE TEMP TABLE orders (x int)',
  'CREATE TEMP VIEW v AS SELECT 1',
  'REINDEX TABLE app.orders',
  `CREATE SCHEMA verdigris; CREATE TABLE verdigris.marks (x int PRIMARY KEY);
    COMMENT ON TABLE verdigris.marks IS 'ours'; GRANT SELECT ON verdigris.marks TO readers`,
  `CREATE FUNCTION verdigris.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER verdigris_keeper BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION verdigris.f()`,
  'CREATE PUBLICATION verdigris_shop_3_blue_to_green FOR ALL TABLES',
  'DROP PUBLICATION verdigris_shop_3_blue_to_green',
  'ALTER TABLE app.orders DROP COLUMN IF EXISTS nothing',
  'CREATE ROLE somebody',
  'GRANT SELECT ON app.orders TO readers',
  'ALTER TABLE app.customers SET (fillfactor = 90); ALTER TABLE app.customers RESET (fillfactor)',
  'GRANT SELECT ON app.events TO writers; REVOKE ALL ON app.events FROM writers',
];

async function run(client: Client, text: string): Promise<void> {
  await client.query(text);
}

test("what changes no object changes no digest, and a session's settings neither count nor suffer", async () => {
  await withDatabase(async (client) => {
    await run(client, sampleRoles);
    await run(client, sampleSchema);
    const first = await readSchema(client);
    for (const statement of idle) {
      await run(client, statement);
      const now = await readSchema(client);
      expect(diffSchema(first, now).map(describeSchemaDifference), statement).toEqual([]);
      expect(digestSchema(now), statement).toBe(digestSchema(first));
    }
    const settings = await client.query(
      "SELECT current_setting('search_path') AS path, current_setting('timezone') AS zone",
    );
    expect(settings.rows).toEqual([{ path: 'app, "Odd name"', zone: 'Asia/Tokyo' }]);
    await run(client, 'BEGIN');
    expect(digestSchema(await readSchema(client))).toBe(digestSchema(first));
    expect((await client.query('SHOW search_path')).rows).toEqual([{ search_path: 'app, "Odd name"' }]);
    await run(client, 'ROLLBACK');
    // The operator may own what is the user's; nothing else of ours is in it.
    expect(
      first.every(({ identity, definition }) => !/verdigris_(?!operator)|verdigris\./.test(identity + definition)),
    ).toBe(true);
    expect(new Set(first.map(({ kind, identity }) => `${kind} ${identity}`)).size).toBe(first.length);
  });
});

test('each DDL changes the digest and is named', async () => {
  await withDatabase(async (client) => {
    await run(client, sampleRoles);
    await run(client, sampleSchema);
    let before = await readSchema(client);
    for (const [statement, ...differences] of ddl) {
      await run(client, statement);
      const after = await readSchema(client);
      expect
        .soft(
          diffSchema(before, after)
            .map(({ change, kind, identity }) => `${change} ${kind} ${identity}`)
            .sort(),
          statement,
        )
        .toEqual([...differences].sort());
      expect(digestSchema(after), statement).not.toBe(digestSchema(before));
      before = after;
    }
  });
});

test('a schema made again in another database, whose OIDs differ, has the same digest in any order', async () => {
  await withDatabase(async (client, server) => {
    await run(client, sampleRoles);
    await run(client, 'CREATE DATABASE other');
    await run(client, sampleSchema);
    const first = await readSchema(client);
    const second = await withClient(connectionTo(server, 'other'), 'test', async (other) => {
      await run(other, 'CREATE TABLE gap (x int, y text); DROP TABLE gap');
      await run(other, sampleSchema);
      await run(other, 'ALTER TABLE app.orders ADD COLUMN gone int; ALTER TABLE app.orders DROP COLUMN gone');
      return readSchema(other);
    });
    expect(diffSchema(first, second)).toEqual([]);
    expect(digestSchema(second.toReversed())).toBe(digestSchema(first));
  });
});

test('a difference is told with the lines that differ', () => {
  const text = (middle: string) => `CREATE FUNCTION app.f()\nBEGIN\n${middle}\nEND`;
  const changed = {
    change: 'changed',
    kind: 'function',
    identity: 'app.f()',
    before: text('one\ntwo\nthree'),
    after: text('one\n2\nthree\nfour'),
  } as const;
  expect(describeSchemaDifference(changed)).toBe('changed function app.f()\n    - two\n    + 2\n    + four');
  expect(
    describeSchemaDifference({
      ...changed,
      after: text(Array.from({ length: 40 }, (_, at) => `line ${at}`).join('\n')),
    }).split('\n'),
  ).toHaveLength(14);
  expect(describeSchemaDifference({ change: 'added', kind: 'index', identity: 'app.i', after: 'x' })).toBe(
    'added index app.i',
  );
});

const otherMajor = testMajor === 17 ? 15 : 17;
const otherThere = await testBinaries(otherMajor).then(
  () => true,
  () => false,
);

test.runIf(otherThere)('the same schema on another major has no difference across majors', async () => {
  const read = async (client: Client) => {
    await run(client, sampleRoles);
    await run(client, sampleSchema);
    return readSchema(client);
  };
  const [here, there] = [await withDatabase(read), await withOtherMajor(read)];
  expect(diffSchema(here, there, { acrossMajors: true }).map(describeSchemaDifference)).toEqual([]);
});

/** As withServer of the support, whose major is fixed for the run. */
async function withOtherMajor<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  const server = {
    binaries: await testBinaries(otherMajor),
    account: await serverAccount(),
    directory: path.join(folder, 'server'),
    sockets: path.join(folder, 's'),
    port: await freePort(),
  };
  try {
    await initServer(server, { wal_level: 'logical', fsync: 'off', shared_buffers: '64MB' });
    await startServer(server);
    return await withClient(connectionTo(server), 'test', use);
  } finally {
    await removeServer(server);
    await rm(folder, { recursive: true, force: true });
  }
}
