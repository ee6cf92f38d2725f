import pg from 'pg';
import { VerdigrisError } from '../model/errors.ts';

/** Where and as whom a connection is made. A socket directory in `host` is fine, as libpq has it. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  /** For whoever only looks: a write is refused by the server, whatever the code believes. */
  readonly readOnly?: true;
  /** Where the password is from, for the error of a wrong one. */
  readonly passwordFrom?: string;
}

export type Client = pg.Client;

/** Milliseconds until a connection attempt is given up. */
const connectTimeout = 10_000;

/**
 * Opens one connection, hands it to `use`, and closes it whatever happens. `purpose` becomes part of the application_name
 * (`verdigris/<purpose>`), so that an operator reading pg_stat_activity knows who is there.
 * A connection that dies while idle in `use` fails the next query, not the process. `lockLimit`: milliseconds that a statement
 * may wait for a lock; 0 for ever.
 */
export async function withClient<T>(
  { passwordFrom, ...settings }: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
  lockLimit = 0,
): Promise<T> {
  const client = new pg.Client({
    ...settings,
    application_name: `verdigris/${purpose}`,
    // Whatever the database's defaults are: Verdigris may write, and what it was told is committed is in the log. No JIT: the planner takes
    // questions to the catalogue for dear ones, and compiling each costs a hundred times what it answers in.
    options: `-c default_transaction_read_only=${settings.readOnly ? 'on' : 'off'} -c jit=off -c synchronous_commit=local -c lock_timeout=${Math.ceil(lockLimit)}`,
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  await client.connect().catch((cause: unknown) => {
    // 28P01 invalid_password, 28000 invalid_authorization_specification
    if (passwordFrom === undefined || !['28P01', '28000'].includes((cause as { code?: string }).code ?? ''))
      throw cause;
    throw new VerdigrisError('refused', 'wrong-password', {
      seen: `${settings.host}:${settings.port} does not let ${settings.user} in with the password of ${passwordFrom}: ${(cause as Error).message}.`,
      required: 'the password that the server knows, and a line of its pg_hba.conf that takes it.',
      next: 'put the right one there; nothing was changed.',
      cause,
    });
  });
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
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
