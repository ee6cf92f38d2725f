import { rows, withFixedPath, type Client } from '../../postgres/client.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { ident } from '../../postgres/quote.ts';
import { readersOf } from '../../postgres/readers.ts';
import type { MigrationTarget } from '../engine.ts';

type Session = <T>(use: (client: Client) => Promise<T>) => Promise<T>;

/**
 * Sessions in which a tool's own table is read and its lock taken back: the table is its owner's, and so is the code in
 * its indexes and constraints, which must not find a superuser.
 */
export async function historySessions({
  client,
  connection,
}: Pick<MigrationTarget, 'client' | 'connection'>): Promise<{ readonly reading: Session; readonly writing: Session }> {
  const { reader, locker } = await withFixedPath(client, () => readersOf(client, connection));
  return {
    reading: (use) => withOwnSession(reader, 'migrate', use),
    writing: (use) => withOwnSession(locker, 'migrate', use),
  };
}

/**
 * A tool's table of what it has run, quoted for SQL; undefined before its first run. Looked up by name in every schema,
 * because where it is is the tool's own setting.
 */
export async function historyTable(client: Client, name: string): Promise<string | undefined> {
  const [found] = await rows<{ schema: string }>(
    client,
    `
    SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = $1 AND c.relkind = 'r' ORDER BY n.nspname = 'public' DESC, n.nspname LIMIT 1`,
    [name],
  );
  return found === undefined ? undefined : ident(found.schema, name);
}

/** Rows of a tool's history; none before its first run. */
export async function historyRows<T>(client: Client, name: string, columns: string, order: string): Promise<T[]> {
  const table = await historyTable(client, name);
  return table === undefined ? [] : rows<T>(client, `SELECT ${columns} FROM ${table} ORDER BY ${order}`);
}

/** What was pending and is no longer. */
export function since<T extends { readonly version: string; readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
): T[] {
  const left = new Set(after.map(({ version, name }) => `${version} ${name}`));
  return before.filter(({ version, name }) => !left.has(`${version} ${name}`));
}
