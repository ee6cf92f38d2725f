import type { Colour } from '../model/colours.ts';
import { staleToken } from '../model/failures.ts';
import { ensureControlSchema } from './control.ts';
import { rows, withTransaction, type Client } from './client.ts';
import { endOperators } from './operators.ts';

/** What a database has seen of fencing tokens. */
export interface SeenTokens {
  /** The newest lease that was taken: whoever has a smaller token is refused. */
  readonly token: number;
  /** The newest under which something was done that the journal had announced: no journal may be older. */
  readonly acted: number;
  /** Uid of the environment that it belongs to; null where nobody has written it yet. */
  readonly environment: string | null;
}

/**
 * To be called in the transaction of the act; the journal was written under this token before. Throws `stale-token`
 * (busy).
 */
export async function takeToken(client: Client, token: number): Promise<void> {
  const { rowCount } = await client.query('UPDATE verdigris.fence SET token = $1, acted = $1 WHERE token <= $1', [
    token,
  ]);
  if (rowCount === 1) return;
  throw staleToken('the database', token);
}

/**
 * Marks that a lease was taken, before its holder reads the journal: a predecessor who sleeps and wakes can neither
 * fence nor open any more. Returns what was seen before. Undefined where the colour cannot be written to (a parked
 * copy) or is not one of Verdigris's yet.
 */
export async function markToken(client: Client, token: number): Promise<SeenTokens | undefined> {
  const [there] = await rows<{ parked: boolean; columns: boolean }>(
    client,
    `SELECT pg_is_in_recovery() AS parked, EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'environment') AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'verdigris' AND c.relname = 'fence'`,
  );
  if (!there || there.parked) return undefined;
  // A predecessor who was stopped in the middle of his act would hold the row for as long as he sleeps.
  await withTransaction(client, () =>
    client.query('LOCK TABLE verdigris.fence IN SHARE ROW EXCLUSIVE MODE NOWAIT'),
  ).catch(() => endOperators(client));
  if (!there.columns)
    await client.query(
      'ALTER TABLE verdigris.fence ADD COLUMN IF NOT EXISTS acted bigint NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS environment uuid',
    );
  const [seen] = await rows<SeenTokens>(
    client,
    `WITH before AS (SELECT token, acted, environment
      FROM verdigris.fence FOR UPDATE), marked AS (UPDATE verdigris.fence SET token = $1::bigint WHERE token < $1::bigint)
    SELECT token::float8, acted::float8, environment FROM before`,
    [token],
  );
  return seen;
}

/** Notes that the journal was written under this token, so that one from before is known to be older. */
export async function noteActed(client: Client, token: number): Promise<void> {
  await client.query('UPDATE verdigris.fence SET acted = $1 WHERE token = $1 AND acted < $1', [token]);
}

/** The environment that a database says it belongs to; undefined where it says none, or is not one of Verdigris's. */
export async function readEnvironment(client: Client): Promise<string | undefined> {
  const there = await rows(
    client,
    "SELECT FROM pg_attribute WHERE attrelid = to_regclass('verdigris.fence') AND attname = 'environment'",
  );
  if (there.length === 0) return undefined;
  const [fence] = await rows<{ environment: string | null }>(client, 'SELECT environment FROM verdigris.fence');
  return fence?.environment ?? undefined;
}

/** Writes down to which environment a database belongs; one that says so already keeps what it says. */
export async function noteEnvironment(client: Client, uid: string): Promise<void> {
  await client.query('UPDATE verdigris.fence SET environment = $1 WHERE environment IS NULL', [uid]);
}

/** A copy that becomes an environment of its own begins with a journal and a uid of its own. */
export async function forgetTokens(client: Client): Promise<void> {
  await ensureControlSchema(client);
  await client.query('UPDATE verdigris.fence SET token = 0, acted = 0, environment = NULL, colour = NULL');
}

/** Writes down which colour a server is whose cluster_name is not Verdigris's to set. */
export async function markColour(client: Client, colour: Colour): Promise<void> {
  await client.query('UPDATE verdigris.fence SET colour = $1', [colour]);
}

/** What `markColour` has written; undefined where nothing was, or before there was anything to write. */
export async function readColour(client: Client): Promise<Colour | undefined> {
  const [found] = await rows<{ colour: Colour | null }>(
    client,
    "SELECT to_jsonb(f)->>'colour' AS colour FROM verdigris.fence f",
  );
  return found?.colour ?? undefined;
}
