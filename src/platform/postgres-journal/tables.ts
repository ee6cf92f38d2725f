import { rows, withTransaction, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { schemaTaken } from '../../postgres/refused.ts';

/** Tables that are made together; `last` is the one of them that is made last. */
export interface TableSet {
  readonly last: string;
  readonly sql: string;
}

/** In a schema of their own, so that the server may have other uses; one set of tables for many environments. */
export const journalTables: TableSet = {
  last: 'drill',
  sql: `
  CREATE SCHEMA IF NOT EXISTS verdigris_journal;
  CREATE TABLE IF NOT EXISTS verdigris_journal.journal (environment text PRIMARY KEY, revision bigint NOT NULL, text text NOT NULL, attempt uuid NOT NULL);
  CREATE TABLE IF NOT EXISTS verdigris_journal.earlier (environment text, revision bigint, text text NOT NULL, PRIMARY KEY (environment, revision));
  CREATE TABLE IF NOT EXISTS verdigris_journal.lease (environment text PRIMARY KEY, token bigint NOT NULL, holder text NOT NULL,
    since timestamptz NOT NULL, renewed timestamptz NOT NULL, released bool NOT NULL, process text, attempt uuid NOT NULL);
  CREATE TABLE IF NOT EXISTS verdigris_journal.history (environment text, started_at text, entry text NOT NULL, PRIMARY KEY (environment, started_at));
  CREATE TABLE IF NOT EXISTS verdigris_journal.drill (environment text, started_at text, outcome text NOT NULL, PRIMARY KEY (environment, started_at))`,
};

/** Of routers that follow the journal: where they are to lead, and what each says of itself. */
export const routerTables: TableSet = {
  last: 'router',
  sql: `
  CREATE SCHEMA IF NOT EXISTS verdigris_journal;
  CREATE TABLE IF NOT EXISTS verdigris_journal.route (environment text PRIMARY KEY, token bigint NOT NULL, seq bigint NOT NULL, said jsonb NOT NULL, ask text);
  CREATE TABLE IF NOT EXISTS verdigris_journal.router (environment text, id text, beat text NOT NULL, seen timestamptz NOT NULL, said jsonb NOT NULL,
    PRIMARY KEY (environment, id))`,
};

/** Owners of the schema, or of anything in it, whose code must not run as the session's user, or who could write it. */
const strangers = `
  SELECT DISTINCT r.rolname AS owner, current_user::text AS user FROM pg_roles r WHERE r.oid IN (
    SELECT nspowner FROM pg_namespace WHERE nspname = 'verdigris_journal'
    UNION SELECT relowner FROM pg_class WHERE relnamespace = to_regnamespace('verdigris_journal'))
  AND NOT r.rolsuper AND r.rolname <> current_user
  AND (current_setting('is_superuser') = 'on' OR NOT (
    pg_has_role(r.oid, 'MEMBER') OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database())))`;

/** What somebody else has just made: unique_violation, duplicate_schema, duplicate_table. */
const madeMeanwhile = /^(23505|42P0[67])$/;

/** lock_not_available */
const held = '55P03';

/** Milliseconds that whoever makes the same has for it. */
const making = 1_000;

/**
 * Whoever may only use the tables finds them. Of two who make them at once the later fails, and finds what the other
 * made: no lock of their own, which anybody who is let in there could keep for ever.
 * @throws VerdigrisError `schema-taken` where they belong to somebody whom the journal's user has no reason to trust.
 */
export async function ensureTables(client: Client, settings: ConnectionSettings, tables: TableSet): Promise<void> {
  const there = await rows(client, `SELECT WHERE to_regclass('verdigris_journal.${tables.last}') IS NOT NULL`);
  if (there.length === 0)
    await make(client, tables).catch((error: unknown) => ifMade(error, () => make(client, tables)));
  // Afterwards: somebody may have been first a moment ago.
  const [taken] = await rows<{ owner: string; user: string }>(client, strangers);
  if (taken) throw schemaTaken(settings, { schema: 'verdigris_journal', ...taken });
}

function make(client: Client, { sql }: TableSet): Promise<unknown> {
  return withTransaction(client, () => client.query(`SET LOCAL lock_timeout = ${making}; ${sql}`));
}

async function ifMade(error: unknown, again: () => Promise<unknown>): Promise<void> {
  const { code = '' } = error as { code?: string };
  if (code === held)
    throw Object.assign(
      new Error(
        'somebody else makes verdigris_journal there, in a transaction that he keeps open (pg_stat_activity, xact_start)',
        { cause: error },
      ),
      { code },
    );
  if (!madeMeanwhile.test(code)) throw error;
  await again();
}
