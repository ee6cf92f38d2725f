import { createHmac } from 'node:crypto';
import { lockerRole, readerRole } from '../model/names.ts';
import { one, rows, type Client } from './client.ts';
import type { ConnectionSettings } from './connection.ts';
import { withOwnSession } from './session.ts';
import { requireOwnRole } from './own-roles.ts';
import { ident } from './quote.ts';
import { majorOf } from './major.ts';
import { giveRights, grantChecks, grantRelations, predefined } from './readers-rights.ts';
import { quietly } from './secretly.ts';
import { isSuperuser } from './superuser.ts';
import { passwordClause, passwordFits } from './verifier.ts';

/**
 * Connections by which user tables are read and their rows locked. To plan a query PostgreSQL evaluates what is
 * constant in the expressions of a table's indexes, and to run it what is behind domains and operators: code of the
 * tables' owners, which must not run as superuser. They are logins, because a function can take back SET ROLE. An
 * operator who is none, and has the owners' rights already, reads by himself.
 */
export async function readersOf(
  operator: Client,
  connection: ConnectionSettings,
): Promise<{ readonly reader: ConnectionSettings; readonly locker: ConnectionSettings }> {
  if (!(await isSuperuser(operator))) return { reader: connection, locker: connection };
  const [reader, locker] = [asReader(connection), asRole(connection, lockerRole)];
  for (const settings of [reader, locker]) {
    await ensure(operator, settings);
    await grantRelations(operator, settings.user);
  }
  return { reader, locker };
}

/** Whose sessions write rows into tables of any shape. */
export async function writerOf(operator: Client, connection: ConnectionSettings): Promise<ConnectionSettings> {
  const { locker } = await readersOf(operator, connection);
  if (locker !== connection) await grantChecks(operator, locker.user);
  return locker;
}

/** How a session is opened. */
type Session = <T>(who: ConnectionSettings, use: (client: Client) => Promise<T>) => Promise<T>;

/**
 * Runs `use`, which only looks, in a read-only session of the reader's. Nothing is made for it: where the server has no
 * reader, and before PostgreSQL 14, where he has rights on the user's tables alone, it is the operator's.
 */
export async function asLooker<T>(
  connection: ConnectionSettings,
  session: Session,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const { passwordFrom: _, ...reader } = asReader(connection);
  const asOperator = (): Promise<T> => session({ ...connection, readOnly: true }, use);
  const place = `${connection.host}:${connection.port}/${connection.database}`;
  if (withoutReader.has(place)) return asOperator();
  let inside = false;
  try {
    return await session({ ...reader, readOnly: true }, async (client) => {
      inside = true;
      return (await majorOf(client)) < predefined ? asOperator() : use(client);
    });
  } catch (error) {
    // Not what `use` was refused: code of the tables' owners could ask for a superuser by it.
    if (inside || !notLetIn.has((error as { code?: string }).code ?? '')) throw error;
    withoutReader.add(place);
    return asOperator();
  }
}

/** Milliseconds that what only looks waits for a lock, which somebody may keep for ever. */
export const lookLimit = 3_000;

/** As `asLooker`, in a session of Verdigris's own. `purpose`: as in the session's application_name. */
export function withLooker<T>(
  connection: ConnectionSettings,
  purpose: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return asLooker(connection, (who, inside) => withOwnSession(who, purpose, inside, lookLimit), use);
}

/** Whether a server lets its reader in. Any other answer, and none, is for whoever asks it for something. */
export async function isLetIn(reader: ConnectionSettings): Promise<boolean> {
  const place = `${reader.host}:${reader.port}/${reader.database}`;
  if (withoutReader.has(place) || known.has(place)) return known.has(place);
  const { passwordFrom: _, ...settings } = reader;
  return withOwnSession({ ...settings, readOnly: true }, 'metrics', () => Promise.resolve(known.add(place))).then(
    () => true,
    (error: unknown) => {
      if (!notLetIn.has((error as { code?: string }).code ?? '')) return true;
      withoutReader.add(place);
      return false;
    },
  );
}

/** Databases that did not let a reader in: asked once, as each try is a line in their logs. */
const withoutReader = new Set<string>();
const known = new Set<string>();

/** invalid_authorization_specification, invalid_password, insufficient_privilege (to connect) */
const notLetIn: ReadonlySet<string> = new Set(['28000', '28P01', '42501']);

/** Gives those that are there the passwords that follow from the operator's. */
export async function followOperator(operator: Client, password: string): Promise<void> {
  const there = await rows<{ name: string }>(
    operator,
    'SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1)',
    [[readerRole, lockerRole]],
  );
  for (const { name } of there) await ensure(operator, { user: name, password: passwordOf(password, name) });
}

/** As the operator's connection, for whom can read and nothing else. */
export function asReader(connection: ConnectionSettings): ConnectionSettings {
  return asRole(connection, readerRole);
}

function asRole(connection: ConnectionSettings, role: string): ConnectionSettings {
  // Of who has no other login; its password is the role's own.
  if (connection.user === role) return connection;
  const { password, others, ...rest } = connection;
  return {
    ...rest,
    user: role,
    ...(password === undefined ? {} : { password: passwordOf(password, role) }),
    ...(others && {
      others: async () => (await others()).map((other) => ({ password: passwordOf(other.password, role) })),
    }),
  };
}

/** Follows from the operator's, so that whoever changes that one changes this one, and none is kept anywhere. */
function passwordOf(secret: string, role: string): string {
  return createHmac('sha256', secret).update(role).digest('base64url');
}

/** Where it is missing, without a password: nobody logs in as it until somebody gives it one. */
export function ensureLocker(operator: Client): Promise<void> {
  return ensure(operator, { user: lockerRole });
}

async function ensure(
  operator: Client,
  { user, password }: Pick<ConnectionSettings, 'user' | 'password'>,
): Promise<void> {
  const [found] = await rows<{ fit: boolean; given: boolean; verifier: string | null }>(
    operator,
    `SELECT rolcanlogin AND rolbypassrls AND rolinherit AND NOT rolsuper AND rolconnlimit = -1 AND ($2 OR EXISTS (
        SELECT FROM pg_db_role_setting s WHERE s.setrole = pg_authid.oid AND s.setdatabase = 0 AND s.setconfig @> ARRAY[$3])) AS fit, rolpassword AS verifier,
      EXISTS (SELECT FROM pg_auth_members m WHERE m.member = pg_authid.oid AND m.roleid = to_regrole('pg_read_all_data')) AS given
    FROM pg_authid WHERE rolname = $1`,
    [user, user !== lockerRole, 'session_replication_role=replica'],
  );
  const keeps = password === undefined || passwordFits(found?.verifier ?? null, user, password);
  const { connects } = found
    ? await one<{ connects: boolean }>(
        operator,
        "SELECT has_database_privilege($1, current_database(), 'CONNECT') AS connects",
        [user],
      )
    : { connects: false };
  if (found?.fit && keeps && connects) return;
  if (found?.given === false) await requireOwnRole(operator, user);
  await quietly(operator, async () => {
    await operator.query(
      `${found ? 'ALTER' : 'CREATE'} ROLE ${ident(user)} LOGIN BYPASSRLS INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
        CONNECTION LIMIT -1 ${password === undefined ? '' : passwordClause(password)}`,
    );
    // No trigger fires for the rows that it writes, as in every session of the operator's.
    if (user === lockerRole) await operator.query(`ALTER ROLE ${ident(user)} SET session_replication_role = 'replica'`);
    await giveRights(operator, user);
    const { open } = await one<{ open: boolean }>(
      operator,
      "SELECT has_database_privilege($1, current_database(), 'CONNECT') AS open",
      [user],
    );
    if (!open) await operator.query(`GRANT CONNECT ON DATABASE ${ident(operator.database ?? '')} TO ${ident(user)}`);
  });
}
