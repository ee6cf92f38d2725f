import type { Client } from './client.ts';
import { guardControlTables } from './control-guard.ts';
import { requireOwnSchemas } from './own-schemas.ts';

/**
 * Objects of Verdigris in the environment's database, in a schema of their own. Only `barrier` is replicated; the
 * others belong to the colour they are on, and a copy of the volume carries them along.
 */
const statements = `
  CREATE SCHEMA IF NOT EXISTS verdigris;
  CREATE TABLE IF NOT EXISTS verdigris.barrier (stream text PRIMARY KEY, marker bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE TABLE IF NOT EXISTS verdigris.fence (only_row bool PRIMARY KEY DEFAULT true CHECK (only_row), token bigint NOT NULL);
  ALTER TABLE verdigris.fence ADD COLUMN IF NOT EXISTS acted bigint NOT NULL DEFAULT 0;
  ALTER TABLE verdigris.fence ADD COLUMN IF NOT EXISTS environment uuid;
  ALTER TABLE verdigris.fence ADD COLUMN IF NOT EXISTS colour text;
  INSERT INTO verdigris.fence (token) VALUES (0) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS verdigris.fenced_role (name name PRIMARY KEY, admitted bool NOT NULL DEFAULT false);
  CREATE TABLE IF NOT EXISTS verdigris.fenced_connect (grantee name PRIMARY KEY, grantable bool NOT NULL);
  CREATE TABLE IF NOT EXISTS verdigris.carried_global (key text PRIMARY KEY, value text NOT NULL);
  CREATE TABLE IF NOT EXISTS verdigris.sequence_position (sequence text PRIMARY KEY, last bigint NOT NULL, called bool NOT NULL);
  CREATE TABLE IF NOT EXISTS verdigris.tool_history (history text PRIMARY KEY, rows jsonb NOT NULL);
  CREATE TABLE IF NOT EXISTS verdigris.schema_object (kind text, identity text, definition text NOT NULL, PRIMARY KEY (kind, identity));
  CREATE TABLE IF NOT EXISTS verdigris.migration (
    version text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, release text NOT NULL,
    statements_done int NOT NULL DEFAULT 0, started_at timestamptz NOT NULL DEFAULT clock_timestamp(), applied_at timestamptz);
  CREATE TABLE IF NOT EXISTS verdigris.repeatable (
    name text PRIMARY KEY, checksum text NOT NULL, release text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE TABLE IF NOT EXISTS verdigris.mask (claim text PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS verdigris.backfill (
    name text PRIMARY KEY, checksum text NOT NULL, release text NOT NULL, position text[],
    rows_seen bigint NOT NULL DEFAULT 0, rows_filled bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(), done_at timestamptz,
    runner int, run_at timestamptz, run_seen bigint, batch_at timestamptz);
  CREATE TABLE IF NOT EXISTS verdigris.data_statement (
    number bigint NOT NULL, version text, position int, digest text, place text NOT NULL, file
      text NOT NULL, line int NOT NULL, text text NOT NULL,
    tables text[] NOT NULL DEFAULT '{}', asked bool NOT NULL DEFAULT false, path text NOT NULL DEFAULT '', role text NOT NULL DEFAULT 'none',
    release text NOT NULL, writes jsonb, done_at timestamptz, settings jsonb NOT NULL DEFAULT '{}', PRIMARY KEY (version, position, digest));
  -- Where it is there already no lock is asked for: a switchover may have the table's rows.
  DO 'BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = ''verdigris.data_statement''::regclass AND attname = ''settings'') THEN
      ALTER TABLE verdigris.data_statement ADD COLUMN settings jsonb NOT NULL DEFAULT ''{}'';
    END IF;
  END';
  CREATE TABLE IF NOT EXISTS verdigris.tool_at_switchover (stream text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
  REVOKE ALL ON SCHEMA verdigris FROM PUBLIC`;

/**
 * What a schema that came with another environment's data says of that environment. What has been applied and filled is
 * true here too.
 */
export async function forgetOrigin(client: Client): Promise<void> {
  await client.query(
    'DELETE FROM verdigris.fenced_role; DELETE FROM verdigris.fenced_connect; DELETE FROM verdigris.schema_object; DELETE FROM ' +
      'verdigris.tool_history; DELETE FROM verdigris.barrier; UPDATE verdigris.fence SET token = 0, acted = 0, ' +
      'environment = NULL, colour = NULL',
  );
}

export async function ensureControlSchema(client: Client): Promise<void> {
  await client.query(statements);
  await requireOwnSchemas(client);
  await guardControlTables(client);
}

/**
 * Whether what every command needs is there: somebody may have dropped a schema that he did not know. Tables that 0.1.0
 * did not have yet are made where they are missing.
 */
export async function hasControlSchema(client: Client): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'verdigris' AND c.relname IN ('barrier', 'fence', 'fenced_role')`,
  );
  return rowCount === 3;
}

/** For a trial, in a transaction of the caller's that is rolled back: a further database has none before its release. */
export async function borrowControlSchema(client: Client): Promise<void> {
  const there = await client.query("SELECT WHERE to_regclass('verdigris.fenced_connect') IS NULL");
  if (there.rowCount) await client.query(statements);
}
