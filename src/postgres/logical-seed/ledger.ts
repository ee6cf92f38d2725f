import { createHash } from 'node:crypto';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { Lsn } from '../../model/lsn.ts';
import { ensureControlSchema } from '../control.ts';
import { guardControlTables } from '../control-guard.ts';
import { rows, withTransaction, type Client } from '../client.ts';
import type { SchemaStatement, Stage } from './statements.ts';

/**
 * What a seed knows of itself, in the candidate's own database: what was done is written in the transaction that did
 * it, so that a process that goes on after a kill repeats nothing and leaves nothing out.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS verdigris.seed (only_row bool PRIMARY KEY DEFAULT true CHECK (only_row), method text NOT NULL, stream text NOT NULL,
    digest text NOT NULL, position text, seeded bool NOT NULL DEFAULT false);
  CREATE TABLE IF NOT EXISTS verdigris.seed_statement (number int PRIMARY KEY, stage text NOT NULL, settings text NOT NULL, sql text NOT NULL,
    done bool NOT NULL DEFAULT false)`;

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
      `INSERT INTO verdigris.seed_statement SELECT number, stage, settings, sql FROM json_to_recordset($1)
        AS s(number int, stage text, settings text, sql text)`,
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

export function pendingStatements(candidate: Client, stage: Stage): Promise<Pending[]> {
  return rows<Pending>(
    candidate,
    'SELECT number, stage, settings, sql FROM verdigris.seed_statement WHERE stage = $1 AND NOT done ORDER BY number',
    [stage],
  );
}

/**
 * In one transaction with the note that they are done. @throws VerdigrisError `seed-schema` with the statement and the
 * server's words.
 */
export async function runStatements(candidate: Client, statements: readonly Pending[], attempt = 1): Promise<void> {
  try {
    await runTogether(candidate, statements);
  } catch (error) {
    // Apply goes on beside a seed by tables, and takes locks in the order of somebody else's transactions.
    const deadlock = ((error as Error).cause as { code?: string } | undefined)?.code === '40P01';
    if (!deadlock || attempt >= attempts) throw error;
    await runStatements(candidate, statements, attempt + 1);
  }
}

/** Of a statement that ended in a deadlock. */
const attempts = 5;

async function runTogether(candidate: Client, statements: readonly Pending[]): Promise<void> {
  await withTransaction(candidate, async () => {
    for (const { number, settings, sql } of statements) {
      await candidate.query(`${settings === '' ? '' : `${settings}; `}${sql}`).catch((cause: unknown) => {
        throw refused(sql, cause);
      });
      await candidate.query('UPDATE verdigris.seed_statement SET done = true WHERE number = $1', [number]);
    }
  });
}

export async function notePosition(candidate: Client, position: Lsn): Promise<void> {
  await candidate.query('UPDATE verdigris.seed SET position = $1', [position]);
}

/** The statements are let go of; that the seed is whole stays, for whoever asks again. */
export async function noteSeeded(candidate: Client): Promise<void> {
  await candidate.query('UPDATE verdigris.seed SET seeded = true; DELETE FROM verdigris.seed_statement');
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
    next: 'drop and create the database, or declare another one for this colour; nothing was changed.',
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
