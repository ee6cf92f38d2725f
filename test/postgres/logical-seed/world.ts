import { execa } from 'execa';
import { operatorRole } from '../../../src/model/names.ts';
import type { Server } from '../../../src/platform/local/server.ts';
import { crossBarrier } from '../../../src/postgres/barrier.ts';
import { one, rows, type Client } from '../../../src/postgres/client.ts';
import { withClient, withOwnSession } from '../../../src/postgres/session.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { findPgDump } from '../../../src/postgres/logical-seed/program.ts';
import { ensureReplicationRole } from '../../../src/postgres/stream/source.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';

/**
 * Of the system; npm's packages have none. Both servers of these tests are of its major, so that it says what each
 * holds.
 */
export const pgDump = await findPgDump(15, 15).catch(() => '');

export const stream = 'verdigris_shop_1_blue_to_green';

/**
 * What is hard to carry in one way or another: partitions, generated and identity columns, keys of every kind, names
 * with a space.
 */
const schema = `
  CREATE ROLE app LOGIN; CREATE ROLE auditor;
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, upper_name text GENERATED ALWAYS AS (upper(name)) STORED);
  CREATE TABLE "Order lines" (order_id bigint, line positive, what text, "Prix, é" numeric(12,2) DEFAULT 1, PRIMARY KEY (order_id, line));
  CREATE INDEX ON "Order lines" (what) WHERE what IS NOT NULL;
  CREATE TABLE event (at date NOT NULL, n bigint NOT NULL, body text, customer bigint REFERENCES customer, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
  CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
  CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
  CREATE INDEX event_body ON event (md5(body));
  CREATE TABLE by_index (code text NOT NULL, note text); CREATE UNIQUE INDEX by_code ON by_index (code);
  ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_code;
  CREATE TABLE empty_one (id int PRIMARY KEY); CREATE TABLE no_columns ();
  CREATE SEQUENCE ticket START 100; SELECT nextval('ticket');
  CREATE VIEW big AS SELECT * FROM "Order lines" WHERE "Prix, é" > 10;
  CREATE MATERIALIZED VIEW totals AS SELECT order_id, sum("Prix, é") AS total FROM "Order lines" GROUP BY 1; CREATE UNIQUE INDEX ON totals (order_id);
  CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'none'); RETURN NEW; END $$;
  CREATE TRIGGER noted BEFORE INSERT ON by_index FOR EACH ROW EXECUTE FUNCTION noted();
  GRANT SELECT, INSERT, UPDATE, DELETE ON customer TO app; GRANT SELECT (what) ON "Order lines" TO auditor; ALTER TABLE by_index OWNER TO app;
  COMMENT ON TABLE customer IS 'it''s \\ theirs';
  INSERT INTO customer (name) SELECT 'name ' || n || E'\\t\\\\N \\n' FROM generate_series(1, 2000) n;
  INSERT INTO "Order lines" SELECT n / 5, n % 5 + 1, CASE WHEN n % 3 = 0 THEN NULL ELSE repeat(md5(n::text), 20) END, n % 50 FROM generate_series(1, 20000) n;
  INSERT INTO event SELECT date '2026-01-01' + n % 365, n, repeat('x', n % 200), n % 2000 + 1 FROM generate_series(1, 20000) n;
  INSERT INTO by_index SELECT 'c' || n FROM generate_series(1, 3000) n; INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES;
  REFRESH MATERIALIZED VIEW totals`;

/** One transaction of the load: rows come, change and go, those of the copy among them. */
const act = `
  WITH c AS (INSERT INTO customer (name) VALUES ('late') RETURNING id)
    INSERT INTO event SELECT '2026-08-08', 1000000 + id, 'late', id FROM c;
  UPDATE "Order lines" SET "Prix, é" = "Prix, é" + 1 WHERE order_id = (random() * 4000)::int;
  UPDATE event SET body = 'changed' WHERE at = date '2026-01-01' + (random() * 364)::int AND n < 5000;
  DELETE FROM "Order lines" WHERE order_id = (random() * 4000)::int AND line = 1;
  DELETE FROM by_index WHERE code = 'c' || (random() * 3000)::int`;

export interface World {
  readonly live: Server;
  readonly candidate: Server;
  readonly origin: Client;
  readonly conninfo: string;
}

/**
 * Two servers: one with a database under a load that goes on until it is told to end, one with an empty database and
 * the roles.
 */
export async function withWorld(
  majors: readonly [number, number],
  use: (world: World) => Promise<void>,
): Promise<void> {
  await withServer(
    (live) =>
      withServer(
        async (candidate) => {
          for (const server of [live, candidate])
            await withClient(connectionTo(server), 'test', (client) => client.query('CREATE DATABASE shop'));
          await withClient(connectionTo(candidate), 'test', (client) =>
            client.query('CREATE ROLE app NOLOGIN; CREATE ROLE auditor'),
          );
          await withClient(connectionTo(live, 'shop'), 'test', async (origin) => {
            await origin.query(schema);
            await ensureControlSchema(origin);
            await withOwnSession(connectionTo(live, 'shop'), 'test', (own) => ensureReplicationRole(own, undefined));
            await use({ live, candidate, origin, conninfo: `host=${live.sockets} port=${live.port}` });
          });
        },
        // A table's worker that met another's lock is started again this soon.
        { wal_retrieve_retry_interval: '200ms' },
        majors[1],
      ),
    {},
    majors[0],
  );
}

/** Writes for as long as `use` takes. */
export async function underLoad<T>(live: Server, use: () => Promise<T>): Promise<T> {
  return withClient(connectionTo(live, 'shop'), 'load', async (client) => {
    let on = true;
    const load = (async () => {
      while (on) await client.query(act);
    })();
    try {
      return await use();
    } finally {
      on = false;
      await load;
    }
  });
}

/** Runs an operator and kills it at the first line that `at` fits. */
export async function killedAt(seed: object, at: RegExp): Promise<void> {
  const operator = execa(process.execPath, [new URL('operator.ts', import.meta.url).pathname, JSON.stringify(seed)], {
    reject: false,
  });
  for await (const line of operator) if (at.test(line)) operator.kill('SIGKILL');
  const { isTerminated, stderr } = await operator;
  if (!isTerminated) throw new Error(`the operator ended by itself: ${stderr}`);
}

/** Of every table with rows of its own: how many, and a digest of all, in no order. */
export async function contents(client: Client): Promise<Record<string, string>> {
  const tables = await rows<{ name: string }>(
    client,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname = 'public' ORDER BY 1`,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const { digest } = await one<{ digest: string }>(
      client,
      `SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS digest FROM ${name} t`,
    );
    found[name] = digest;
  }
  return found;
}

/**
 * Waits until the candidate has all that is committed, and compares all but materialized views by the test's own
 * reading.
 */
export async function expectSame(
  { candidate, origin }: World,
  expect: (a: unknown, b: unknown) => void,
): Promise<void> {
  await withClient(connectionTo(candidate, 'shop'), 'test', async (copy) => {
    await crossBarrier(origin, copy, stream, 60_000);
    await copy.query('REFRESH MATERIALIZED VIEW public.totals');
    await origin.query('REFRESH MATERIALIZED VIEW public.totals');
    expect(await contents(copy), await contents(origin));
  });
}

/** What pg_dump says of a schema, but for what belongs to one server alone. */
export async function dumped(server: Server): Promise<string> {
  const { stdout } = await execa(pgDump, [
    ...['--schema-only', '--exclude-schema=verdigris', '--no-publications', '--no-subscriptions'],
    ...['-h', server.sockets, '-p', String(server.port), '-U', operatorRole, 'shop'],
  ]);
  return stdout.replaceAll(/^\\(un)?restrict .*$|^-- Dumped .*$/gm, '');
}
