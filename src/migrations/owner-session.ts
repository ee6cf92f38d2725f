import { one, rows, withFixedPath, type Client } from '../postgres/client.ts';
import { withClient } from '../postgres/session.ts';
import { ensureControlSchema } from '../postgres/control.ts';
import { isSuperuser } from '../postgres/superuser.ts';
import type { MigrationTarget } from './engine.ts';
import { withMigrationRole } from './engines/role.ts';

/** Verdigris's own, each written in one transaction with SQL of the user's. */
const books = ['migration', 'repeatable', 'data_statement', 'backfill', 'mask'];

/** Settings that take a superuser and that Verdigris changes between the user's statements: batches and trials do. */
const quiet = ['session_replication_role', 'deadlock_timeout'];

export interface OwnerSession extends Pick<
  MigrationTarget,
  'client' | 'connection' | 'owner' | 'lockTimeout' | 'statementTimeout' | 'sessionSettings' | 'connect'
> {
  /**
   * Whether triggers can be kept from firing in it. A right to that is part of the catalogue that a switchover compares:
   * none has it that is open then.
   */
  readonly quietly?: boolean;
  /** One that is open beside another on the same server, and writes none of `books`. */
  readonly login?: string;
}

/**
 * A session for SQL of the user's that runs as the owner: of a login that is a member of the owner and of nobody else,
 * so that whatever the SQL calls finds no superuser to return to. Statements of Verdigris's own in between run by
 * `asLogin`. Where there is no owner, or the operator is no superuser, it is the target's own session: whoever runs a
 * file in it sets the role.
 */
export async function withOwnerSession<T>(target: OwnerSession, use: (client: Client) => Promise<T>): Promise<T> {
  const { client, owner, sessionSettings } = target;
  const { connect = (settings, inside) => withClient(settings, 'migrate', inside) } = target;
  if (owner === undefined || !(await isSuperuser(client))) return use(client);
  if (target.quietly && !(await grantsParameters(client))) return use(client);
  return withMigrationRole(
    { ...target, sessionSettings: { ...sessionSettings, row_security: 'on' } },
    async (login) => {
      if (target.login === undefined) await admit(client, login.user, target.quietly === true);
      return connect(login, async (session) => {
        // Not every server has it, so that the login cannot be made with it.
        await session.query(
          "SELECT pg_catalog.set_config('transaction_timeout', '0', false) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL",
        );
        return use(session);
      });
    },
  );
}

/** From PostgreSQL 15 on. */
async function grantsParameters(client: Client): Promise<boolean> {
  const { server_version_num: version } = await one<{ server_version_num: string }>(client, 'SHOW server_version_num');
  return Number(version) >= 150_000;
}

/**
 * What is held back as superuser it neither sees nor writes. Rights and policy go with the login
 * (`dropLogin`).
 */
async function admit(client: Client, login: string, quietly: boolean): Promise<void> {
  const tables = books.map((name) => `verdigris.${name}`).join(', ');
  // A colour that an earlier version made may lack some, or a column.
  await withFixedPath(client, async () => {
    const known = await rows(
      client,
      `SELECT FROM pg_tables WHERE schemaname = 'verdigris' AND tablename = ANY ($1) AND (tablename <> 'data_statement' OR EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = to_regclass('verdigris.data_statement') AND attname = 'settings'))`,
      [books],
    );
    if (known.length < books.length) await ensureControlSchema(client);
    await client.query(`GRANT USAGE ON SCHEMA verdigris TO ${login};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables} TO ${login};
      ALTER TABLE verdigris.data_statement ENABLE ROW LEVEL SECURITY;
      CREATE POLICY ${login} ON verdigris.data_statement TO ${login} USING (role <> 'none') WITH CHECK (role <> 'none')`);
    if (quietly) await client.query(`GRANT SET ON PARAMETER ${quiet.join(', ')} TO ${login}`);
  });
}
