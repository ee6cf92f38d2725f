import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { operatorRole } from '../model/names.ts';
import { rows, type Client } from './client.ts';
import { driverSettings, type ConnectionSettings } from './connection.ts';
import { dial, passesWithin } from './dial.ts';
import { complete, forOlder } from './older-server.ts';
import { throughLens } from './part/lens.ts';
import { byAnother, isWrongPassword } from './other-passwords.ts';
import { hasNoAnswer, noteSilence } from './no-answer.ts';
import { isOfLoginTrigger, loginTriggerFails, schemaTaken, unwelcome, type SchemaTaken } from './refused.ts';
import { settingsAfterwards, startupOptions, type SessionKind } from './session-settings.ts';

/** Milliseconds until a connection attempt is given up. */
const connectTimeout = 10_000;

/**
 * Milliseconds of silence until the other end is asked for a sign of life, then each second: ten that are missing end
 * the connection.
 */
const keepAliveDelay = 10_000;

/**
 * Opens one connection, hands it to `use`, and closes it whatever happens. The one way to a session for Verdigris's own
 * statements: what they mean depends on nothing that anybody has set or made in the database (session-settings.ts).
 * `purpose` becomes part of the application_name (`verdigris/<purpose>`), so that an operator reading pg_stat_activity
 * knows who is there. A connection that dies while idle in `use` fails the next query, not the process. `lockLimit`:
 * milliseconds that a statement may wait for a lock; 0 for ever.
 */
export function withOwnSession<T>(
  settings: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
  lockLimit = 0,
): Promise<T> {
  return open('own', settings, purpose, use, lockLimit);
}

/**
 * As `withOwnSession`, for SQL of the user's: names and literals in it mean what they mean to the database's other
 * clients. Whoever needs a statement of Verdigris's own in between uses `withFixedPath`.
 */
export function withClient<T>(
  settings: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
  lockLimit = 0,
): Promise<T> {
  return open('database', settings, purpose, use, lockLimit);
}

/** As `withOwnSession`, to the router of this machine: with what its startup packet can say. */
export function withRoutedSession<T>(
  settings: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return open('routed', settings, purpose, use, 0);
}

/** To PgBouncer's console or through it: with no settings of our own. */
export function withPooledSession<T>(
  settings: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return open('pooled', settings, purpose, use, 0);
}

/**
 * As `withOwnSession`, by a walsender: it takes replication commands besides, and every statement without bound values.
 */
export function withReplicationSession<T>(
  settings: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return open('own', settings, purpose, use, 0, { replication: 'database' });
}

/** Servers that did not know a setting of a later major. */
const older = new Set<string>();

async function open<T>(
  kind: SessionKind,
  given: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
  lockLimit: number,
  startup: object = {},
): Promise<T> {
  const { others, passwordFrom: _, ...plain } = given;
  const { readOnly, history = [] } = plain;
  const server = `${given.host}:${given.port}`;
  const superuser = given.superuser === true && given.user === operatorRole;
  const options = startupOptions(kind, readOnly === true, lockLimit, history, older.has(server), superuser);
  const outcome = await connected({
    ...(await driverSettings(given)),
    ...startup,
    application_name: `verdigris/${purpose}`,
    ...(options === undefined ? {} : { options }),
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelay,
  }).then(
    (entered) => entered,
    async (cause: unknown) => {
      noteSilence(cause, server);
      if (isOfLoginTrigger(cause)) throw loginTriggerFails(given, await loginTriggers(given), cause);
      if (others && isWrongPassword(cause)) return { others, refused: unwelcome(given, cause) };
      // 42704 undefined_object: before PostgreSQL 14
      if (older.has(server) || (cause as { code?: string }).code !== '42704') throw unwelcome(given, cause);
      older.add(server);
      return 'older' as const;
    },
  );
  if (outcome === 'older') return open(kind, given, purpose, use, lockLimit, startup);
  if ('others' in outcome)
    return byAnother(await outcome.others(), outcome.refused, (password, renew, isIn) => {
      const entered = async (inside: Client): Promise<T> => {
        isIn();
        if (readOnly !== true) await renew?.(inside);
        return use(inside);
      };
      return open(kind, { ...plain, password }, purpose, entered, lockLimit, startup);
    });
  const { client, major } = outcome;
  try {
    const afterwards = settingsAfterwards(kind, major);
    if (afterwards !== undefined) {
      const answers = [await client.query<{ taken: SchemaTaken | null }>(afterwards)].flat();
      const taken = answers.at(-1)?.rows[0]?.taken;
      if (taken) throw schemaTaken(given, taken);
      if (kind === 'own' && major < complete) rewriting(client, (sql) => forOlder(sql, major));
    }
    const { lens } = plain;
    if (lens && kind === 'own') rewriting(client, (sql) => throughLens(sql, lens));
    return await use(client);
  } catch (error) {
    const said = hasNoAnswer(error) ? (lastWords.get(client) ?? error) : error;
    // What went wrong with another session in `use` is that one's.
    if (gone.has(client)) noteSilence(said, server);
    throw said;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Read by a session that may write, as such a trigger mostly wants to; none where that is not let in either. */
async function loginTriggers(given: ConnectionSettings): Promise<string[]> {
  const { readOnly, ...writing } = given;
  if (readOnly !== true) return [];
  return withOwnSession(writing, 'preflight', async (client) =>
    (
      await rows<{ name: string }>(
        client,
        "SELECT quote_ident(evtname) AS name FROM pg_event_trigger WHERE evtevent = 'login' AND evtenabled <> 'D' ORDER BY 1",
      )
    ).map(({ name }) => name),
  ).catch(() => []);
}

/** What the server said as it ended a session that was idle: the next query only hears that nobody is there. */
const lastWords = new WeakMap<Client, Error>();

/** Their connections ended, and nobody here had ended them. */
const gone = new WeakSet<Client>();

/** `major`: of its server, as that says to whoever comes in. */
async function connected(settings: pg.ClientConfig): Promise<{ client: pg.Client; major: number }> {
  const began = performance.now();
  for (;;) {
    const client = new pg.Client({ ...settings, stream: dial });
    client.on('error', (error: Error & { severity?: string }) => {
      gone.add(client);
      if (error.severity !== undefined) lastWords.set(client, error);
    });
    let version = '';
    client.connection.on('parameterStatus', ({ parameterName, parameterValue }: Record<string, string>) => {
      if (parameterName === 'server_version') version = parameterValue ?? '';
    });
    try {
      await client.connect();
      return { client, major: Number.parseInt(version, 10) };
    } catch (error) {
      const { within, every } = passesWithin(error);
      if (performance.now() - began > within) throw error;
      await sleep(every);
    }
  }
}

/** Has the statements of a session say something else; those that stream are the same everywhere. */
function rewriting(client: Client, as: (sql: string) => string): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const fitting = (statement: unknown): unknown => {
    if (typeof statement === 'string') return as(statement);
    const { text, name } = statement as { text?: unknown; name?: unknown };
    // By its name a statement is known to be none that streams.
    return typeof text === 'string' && typeof name === 'string'
      ? { ...(statement as object), text: as(text) }
      : statement;
  };
  Object.assign(client, { query: (statement: unknown, ...rest: unknown[]) => query(fitting(statement), ...rest) });
}
