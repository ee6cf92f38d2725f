import { VerdigrisError } from '../model/errors.ts';
import { operatorRole } from '../model/names.ts';
import { rows, withTransaction, type Client } from './client.ts';
import { turnLock } from './hba-lock.ts';
import { ident } from './quote.ts';
import { isSuperuser } from './superuser.ts';
import { takeToken } from './token.ts';

/**
 * Lets roles that can only read in again, with read-only as their default, on a colour that stays fenced to all others:
 * by NOLOGIN alone, for pg_hba.conf cannot name every role (one with a line break in its name).
 */
export async function admitReaders(client: Client, token: number, readers: readonly string[]): Promise<void> {
  await withTransaction(client, async () => {
    await takeToken(client, token);
    const closed = await rows<{ name: string }>(
      client,
      'UPDATE verdigris.fenced_role SET admitted = true WHERE name = ANY ($1) RETURNING name',
      [readers],
    );
    for (const { name } of closed)
      await client.query(`ALTER ROLE ${ident(name)} LOGIN; ${readOnlyHere(client, name, true)}`);
    const shut = (await isSuperuser(client)) ? [] : await shutOut(client, readers);
    if (shut.length > 0) throw readersShut(shut);
  });
  if (await isSuperuser(client)) await turnLock(client, 'open');
}

/**
 * CONNECT is taken from them as from everybody: it is not theirs alone to be given back, and they could not be made
 * read-only.
 */
async function shutOut(client: Client, readers: readonly string[]): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT rolname AS name FROM pg_roles
    WHERE rolname = ANY ($1) AND rolcanlogin AND NOT has_database_privilege(oid, current_database()::text, 'CONNECT') ORDER BY 1`,
    [readers],
  );
  return found.map(({ name }) => name);
}

function readersShut(readers: readonly string[]): VerdigrisError {
  return new VerdigrisError('readers-shut', {
    seen: `${readers.join(', ')} may not be altered there by ${operatorRole}: the fence closed them by CONNECT on the database.`,
    required: 'readers whom the fence can let in again, read-only.',
    next:
      `have \`GRANT ${readers.map((name) => ident(name)).join(', ')} TO ${operatorRole} WITH ADMIN OPTION\` run there; ` +
      'or continue without a canary. Nothing was changed.',
    facts: { readers },
  });
}

/** Who was let in, until the colour is opened to all. */
export async function admittedReaders(client: Client): Promise<ReadonlySet<string>> {
  const there = await rows(client, "SELECT FROM pg_class WHERE oid = to_regclass('verdigris.fenced_role')");
  if (there.length === 0) return new Set();
  const found = await rows<{ name: string }>(client, 'SELECT name FROM verdigris.fenced_role WHERE admitted');
  return new Set(found.map(({ name }) => name));
}

/** In this database only: a setting of the role that the user made for all databases stays as it was. */
export function readOnlyHere(client: Client, role: string, on: boolean): string {
  return (
    `ALTER ROLE ${ident(role)} IN DATABASE ${ident(client.database ?? '')} ` +
    `${on ? 'SET default_transaction_read_only = on' : 'RESET default_transaction_read_only'}`
  );
}
