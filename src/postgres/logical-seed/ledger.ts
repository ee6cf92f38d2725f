import { createHash } from 'node:crypto';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { Lsn } from '../../model/lsn.ts';
import { ensureControlSchema } from '../control.ts';
import { guardControlTables } from '../control-guard.ts';
import { one, rows, withTransaction, type Client } from '../client.ts';
import type { SchemaStatement, Stage } from './statements.ts';

/**
 * What a seed knows of itself, in the candidate's own database: what was done is written in the transaction that did
 * it, so that a process that goes on after a kill repeats nothing and leaves nothing out.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS verdigris.seed (only_row bool PRIMARY KEY DEFAULT true CHECK (only_row), method text NOT NULL, stream text NOT NULL,
    digest text NOT NULL, position text, seeded bool NOT NULL DEFAULT false);
  CREATE TABLE IF NOT EXISTS verdigris.seed_statement (number int PRIMARY KEY, stage text NOT NULL, settings text NOT NULL, sql text NOT NULL,
    done bool NOT NULL DEFAULT false);
  ALTER TABLE verdigris.seed_statement ADD COLUMN IF NOT EXISTS owners text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS later bool NOT NULL DEFAULT false, ADD COLUMN IF NOT EXISTS needs json NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS made_in bigint`;

export type Method = 'snapshot' | 'tables';

export interface SeedRecord {
  readonly method: Method;
  readonly stream: string;
  /** Of the schema's statements. */
  readonly digest: string;
  /** Where replication begins; null until every row is there that was on the live server then. */
  readonly position: Lsn | null;
  readonly seeded: boolean;
}

export async function readSeed(candidate: Client): Promise<SeedRecord | undefined> {
  await ensureControlSchema(candidate);
  await candidate.query(tables);
  await guardControlTables(candidate);
  const [found] = await rows<SeedRecord>(
    candidate,
    'SELECT method, stream, digest, position, seeded FROM verdigris.seed',
  );
  return found;
}

/** Stream of the seed that was begun in a database; makes nothing there. */
export async function begunSeed(client: Client): Promise<string | undefined> {
  const kept = await rows(client, "SELECT FROM pg_class WHERE oid = to_regclass('verdigris.seed')");
  if (kept.length === 0) return undefined;
  const [found] = await rows<{ stream: string }>(client, 'SELECT stream FROM verdigris.seed');
  return found?.stream;
}

/**
 * Writes down what is to be made. Where a seed was begun before, it is gone on with if the live schema is what it was.
 * @throws VerdigrisError `seed-other-schema` where it has changed since; `candidate-not-empty` where somebody else's
 * objects are there.
 */
export async function beginSeed(
  candidate: Client,
  { method, stream }: Pick<SeedRecord, 'method' | 'stream'>,
  statements: readonly SchemaStatement[],
): Promise<void> {
  const digest = createHash('sha256').update(JSON.stringify(statements)).digest('hex');
  const before = await readSeed(candidate);
  if (before?.digest === digest && before.stream === stream && before.method === method) return;
  if (before) throw otherSchema(before.stream === stream && before.method === method);
  await requireEmpty(candidate);
  await withTransaction(candidate, async () => {
    await candidate.query(
      `INSERT INTO verdigris.seed_statement (number, stage, settings, sql, owners, later, needs)
        SELECT number, stage, settings, sql, owners, later, needs FROM json_to_recordset($1)
        AS s(number int, stage text, settings text, sql text, owners text[], later bool, needs json)`,
      [JSON.stringify(statements.map((statement, number) => ({ number, ...statement })))],
    );
    await candidate.query('INSERT INTO verdigris.seed (method, stream, digest) VALUES ($1, $2, $3)', [
      method,
      stream,
      digest,
    ]);
  });
}

export interface Pending extends SchemaStatement {
  readonly number: number;
}

/**
 * What of a stage is still to be run. Its owners are those whose login is to run it: none where one of them is a
 * superuser, or the operator is none.
 */
export function pendingStatements(candidate: Client, stage: Stage): Promise<Pending[]> {
  return rows<Pending>(
    candidate,
    `WITH pending AS (
      SELECT *, ARRAY(
        SELECT DISTINCT CASE name WHEN 'pg_database_owner' THEN pg_get_userbyid(datdba)::text ELSE name END
        FROM unnest(owners) AS o(name), pg_database WHERE datname = current_database() ORDER BY 1) AS members
      FROM verdigris.seed_statement
      WHERE stage = $1 AND NOT done AND coalesce(txid_status(made_in), '') <> 'committed')
    SELECT number, stage, settings, sql, later, needs, CASE
      WHEN current_setting('is_superuser') = 'off' OR EXISTS (SELECT FROM pg_roles WHERE rolsuper AND rolname = ANY (members))
      THEN '{}' ELSE members END AS owners
    FROM pending ORDER BY number`,
    [stage],
  );
}

/** Whose session runs statements, and whose writes down that they are done. */
export interface Runner {
  readonly session: Client;
  readonly operator: Client;
}

/**
 * In one transaction, and repeats nothing of it after a kill.
 * @throws VerdigrisError `seed-schema` with the statement and the server's words.
 */
export async function runStatements(runner: Runner, statements: readonly Pending[], attempt = 1): Promise<void> {
  try {
    await runTogether(runner, statements);
  } catch (error) {
    // Apply goes on beside a seed by tables, and takes locks in the order of somebody else's transactions.
    const deadlock = ((error as Error).cause as { code?: string } | undefined)?.code === '40P01';
    if (!deadlock || attempt >= attempts) throw error;
    await runStatements(runner, statements, attempt + 1);
  }
}

/** Of a statement that ended in a deadlock. */
const attempts = 5;

/**
 * An owner's session has no right to what says which statements are next: the operator writes down beside it in which
 * transaction they are, and the server knows what became of that one.
 */
async function runTogether({ session, operator }: Runner, statements: readonly Pending[]): Promise<void> {
  const numbers = statements.map(({ number }) => number);
  const done = () =>
    operator.query('UPDATE verdigris.seed_statement SET done = true WHERE number = ANY ($1)', [numbers]);
  await withTransaction(session, async () => {
    for (const { settings, sql } of statements)
      await session.query(`${settings === '' ? '' : `${settings}; `}${sql}`).catch((cause: unknown) => {
        throw refused(sql, cause);
      });
    if (session === operator) await done();
    else {
      const { made } = await one<{ made: string }>(session, 'SELECT pg_catalog.txid_current()::text AS made');
      await operator.query('UPDATE verdigris.seed_statement SET made_in = $2 WHERE number = ANY ($1)', [numbers, made]);
    }
  });
  if (session !== operator) await done();
}

export async function notePosition(candidate: Client, position: Lsn): Promise<void> {
  await candidate.query('UPDATE verdigris.seed SET position = $1', [position]);
}

/** The statements are let go of; that the seed is whole stays, for whoever asks again. */
export async function noteSeeded(candidate: Client): Promise<void> {
  await candidate.query('UPDATE verdigris.seed SET seeded = true; DELETE FROM verdigris.seed_statement');
}

/**
 * Before anybody is closed out there.
 * @throws VerdigrisError `candidate-not-empty` where no seed was begun, and objects are there.
 */
export async function requireUntouched(candidate: Client): Promise<void> {
  if (!(await readSeed(candidate))) await requireEmpty(candidate);
}

async function requireEmpty(candidate: Client): Promise<void> {
  const there = await rows<{ name: string }>(
    candidate,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'verdigris' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1 LIMIT 5`,
  );
  if (there.length === 0) return;
  throw new VerdigrisError('candidate-not-empty', {
    seen: `The candidate's database ${candidate.database ?? ''} holds ${there.map(({ name }) => name).join(', ')}, which no seed made.`,
    required: 'an empty database: what is there already would mix with the seed.',
    next: 'drop that database, which the same command then makes again, or declare another one for this colour; nothing that is in it was changed.',
  });
}

function otherSchema(drifted: boolean): VerdigrisError {
  return new VerdigrisError('seed-other-schema', {
    seen: drifted
      ? 'The live schema has changed since this seed was begun.'
      : "The candidate's database was started by another seed.",
    required: 'a schema that does not change during a seed.',
    next: 'drop and create the database of the candidate (`verdigris abandon` does that, if Verdigris made it), then seed again.',
  });
}

function refused(sql: string, cause: unknown): VerdigrisError {
  const text = sql.length > 200 ? `${sql.slice(0, 200)}…` : sql;
  return new VerdigrisError('seed-schema', {
    seen: `The candidate rejects a statement of the live schema: ${describe(cause)}, in: ${text}`,
    required:
      'a candidate that accepts the whole schema: extensions installed, roles present, and the right to create what is in it.',
    next: 'give the candidate what it lacks; then run the same command again: it continues at this statement.',
    cause,
    facts: { sqlstate: (cause as { code?: unknown }).code },
  });
}
