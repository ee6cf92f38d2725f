import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { VerdigrisError } from '../model/errors.ts';
import { operatorRole } from '../model/names.ts';
import { complete, forOlder } from './older-server.ts';
import { byAnother, isWrongPassword, type OtherPassword } from './other-passwords.ts';
import { settingsAfterwards, startupOptions, type SessionKind } from './session-settings.ts';

/** Where and as whom a connection is made. A socket directory in `host` is fine, as libpq has it. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  /** Left out where nothing lies between: a socket of this machine, a tunnel. */
  readonly tls?: TlsSettings;
  /** For whoever only looks: a write is refused by the server, whatever the code believes. */
  readonly readOnly?: true;
  /** Where the password is from, for the error of a wrong one. */
  readonly passwordFrom?: string;
  /**
   * Asked where the server refuses `password`: a rotation changes it, or has changed it while this server was not
   * there.
   */
  readonly others?: () => Promise<readonly OtherPassword[]>;
  /** Tables that are declared as a migration tool's history, as `schema.table`: no data, as those that are known. */
  readonly history?: readonly string[];
  /** Whether the operator's role was made by Verdigris, as a superuser. */
  readonly superuser?: true;
}

/**
 * As libpq has it: `require` takes any certificate, `verify-ca` one that is signed, `verify-full` that of the very
 * host.
 */
export interface TlsSettings {
  readonly mode: 'require' | 'verify-ca' | 'verify-full';
  /** PEM file of those who may have signed it; else those that Node.js knows. */
  readonly ca?: string;
  /** The name that the certificate is for, where `host` is another: a tunnel's end. */
  readonly servername?: string;
}

export type Client = pg.Client;

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
  const client = new pg.Client({
    ...(await driverSettings(given)),
    ...startup,
    application_name: `verdigris/${purpose}`,
    ...(options === undefined ? {} : { options }),
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelay,
  });
  client.on('error', () => undefined);
  const outcome = await client.connect().then(
    () => 'in' as const,
    (cause: unknown) => {
      if (others && isWrongPassword(cause)) return { others, refused: unwelcome(given, cause) };
      // 42704 undefined_object: before PostgreSQL 14
      if (older.has(server) || (cause as { code?: string }).code !== '42704') throw unwelcome(given, cause);
      older.add(server);
      return 'older' as const;
    },
  );
  if (outcome === 'older') return open(kind, given, purpose, use, lockLimit, startup);
  if (outcome !== 'in')
    return byAnother(await outcome.others(), outcome.refused, (password, renew, isIn) => {
      const entered = async (inside: Client): Promise<T> => {
        isIn();
        if (readOnly !== true) await renew?.(inside);
        return use(inside);
      };
      return open(kind, { ...plain, password }, purpose, entered, lockLimit, startup);
    });
  try {
    const afterwards = settingsAfterwards(kind);
    if (afterwards !== undefined) {
      const [{ major = complete, taken } = {}] = await rows<{ major?: number; taken?: string | null }>(
        client,
        afterwards,
      );
      if (taken) throw schemaTaken(given, taken);
      if (major < complete) speakOlder(client, major);
    }
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What is in the schema may be anything then, and would be read and written by a superuser. */
function schemaTaken({ database, host, port }: ConnectionSettings, owner: string): VerdigrisError {
  return new VerdigrisError('schema-taken', {
    seen: `The schema verdigris of ${database} on ${host}:${port} belongs to ${owner}, who is no superuser.`,
    required:
      'a schema of this name that Verdigris has made, or none: its tables say who is live and hold SQL that is run.',
    next:
      'look what is in it; where nobody needs it, `DROP SCHEMA verdigris CASCADE`, and see that ' +
      `${owner} may not create it again (CREATE on the database).`,
    facts: { database, owner },
  });
}

/** Has the statements of a session fit an older server; those that stream are the same everywhere. */
function speakOlder(client: Client, major: number): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const fitting = (statement: unknown): unknown => {
    if (typeof statement === 'string') return forOlder(statement, major);
    const { text, name } = statement as { text?: unknown; name?: unknown };
    // By its name a statement is known to be none that streams.
    return typeof text === 'string' && typeof name === 'string'
      ? { ...(statement as object), text: forOlder(text, major) }
      : statement;
  };
  Object.assign(client, { query: (statement: unknown, ...rest: unknown[]) => query(fitting(statement), ...rest) });
}

/** Node's and OpenSSL's codes, and what node-postgres says of a server without TLS. */
function isTlsFailure(cause: unknown): boolean {
  const { code = '', message } = cause as { code?: string; message: string };
  return /^(ERR_(TLS|SSL)|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)/.test(code) || message.includes('SSL connections');
}

function untrusted(
  { host, port }: Pick<ConnectionSettings, 'host' | 'port'>,
  { mode, ca }: TlsSettings,
  cause: unknown,
): VerdigrisError {
  return new VerdigrisError('tls-refused', {
    seen: `${host}:${port} cannot be trusted with sslmode ${mode}: ${(cause as Error).message}.`,
    required: `a certificate of ${host} that ${ca === undefined ? 'an authority of the system' : `one of ${ca}`} has signed.`,
    next: 'declare the file of the right authorities (ca), or the name that the certificate has (host); nothing was changed.',
    cause,
  });
}

/** A wrong password is told with where it is from. */
function unwelcome({ passwordFrom, tls, ...settings }: ConnectionSettings, cause: unknown): unknown {
  if (tls !== undefined && isTlsFailure(cause)) return untrusted(settings, tls, cause);
  // 28P01 invalid_password, 28000 invalid_authorization_specification
  if (passwordFrom === undefined || !['28P01', '28000'].includes((cause as { code?: string }).code ?? '')) return cause;
  return new VerdigrisError('wrong-password', {
    seen: `${settings.host}:${settings.port} does not let ${settings.user} in with the password of ${passwordFrom}: ${(cause as Error).message}.`,
    required: 'the password that the server knows, and a line of its pg_hba.conf that takes it.',
    next: 'put the right one there; nothing was changed.',
    cause,
  });
}

/** Where and as whom, and how encrypted, as node-postgres takes it. */
export async function driverSettings(settings: ConnectionSettings): Promise<pg.ClientConfig> {
  const { tls, passwordFrom: _, others: __, readOnly: ___, history: ____, superuser: _____, ...given } = settings;
  return tls === undefined ? given : { ...given, ssl: await tlsOptions(tls) };
}

/** For node:tls. */
async function tlsOptions({ mode, ca, servername }: TlsSettings): Promise<ConnectionOptions> {
  return {
    rejectUnauthorized: mode !== 'require',
    ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }),
    ...(servername === undefined ? {} : { servername }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** Runs `use` between BEGIN and COMMIT; any failure rolls back and is thrown on. */
export async function withTransaction<T>(client: Client, use: () => Promise<T>, mode = ''): Promise<T> {
  await client.query(`BEGIN ${mode}`);
  try {
    const result = await use();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Runs statements of Verdigris's own in a session of `withClient`: nothing of anybody else's is found by its bare name
 * meanwhile.
 * `use` is given the path that names of the user's SQL are found by, which holds again afterwards.
 */
export async function withFixedPath<T>(client: Client, use: (theirs: string) => Promise<T>): Promise<T> {
  // Utility statements: no name in them is looked up.
  const { search_path: theirs } = await one<{ search_path: string }>(client, 'SHOW search_path');
  await client.query('SET search_path = pg_catalog, pg_temp');
  try {
    return await use(theirs);
  } finally {
    // In a transaction that failed the rollback brings it back.
    await client.query("SELECT pg_catalog.set_config('search_path', $1, false)", [theirs]).catch(() => undefined);
  }
}

export type Row = Readonly<Record<string, unknown>>;

/** All rows of a query. Values are always bound, never spliced. */
export async function rows<T = Row>(client: Client, sql: string, values: readonly unknown[] = []): Promise<T[]> {
  const result = await client.query(sql, values as unknown[]);
  return result.rows as T[];
}

/** The only row of a query. Throws a plain Error where there is not exactly one: that is a fault of ours. */
export async function one<T = Row>(client: Client, sql: string, values: readonly unknown[] = []): Promise<T> {
  const found = await rows<T>(client, sql, values);
  if (found.length !== 1) throw new Error(`expected one row, got ${found.length}: ${sql}`);
  return found[0] as T;
}
