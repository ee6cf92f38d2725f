import { rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { makeLike, readLocale } from '../create-like.ts';
import { dropDatabase } from '../drop-database.ts';
import { maintenance } from '../maintenance.ts';
import { ident } from '../quote.ts';
import { withOwnSession } from '../session.ts';
import { begunSeed } from './ledger.ts';

/** Undefined where it does not let this login in, or do that. */
function inMaintenance<T>(at: ConnectionSettings, use: (client: Client) => Promise<T>): Promise<T | undefined> {
  return withOwnSession({ ...at, database: maintenance }, 'remove', use).catch((error: { code?: string }) => {
    if (!['3D000', '42501', '28000'].includes(error.code ?? '')) throw error;
    return undefined;
  });
}

export async function isDropped(at: ConnectionSettings, database: string): Promise<boolean> {
  const found = await inMaintenance(at, (client) =>
    rows(client, 'SELECT FROM pg_database WHERE datname = $1', [database]),
  );
  return found?.length === 0;
}

/**
 * Those of the databases that the seed of one of these streams has begun to fill: each was empty before, and closed to
 * others since, so that nothing in it is anybody's but the seed's.
 */
export async function filledBySeed(
  at: ConnectionSettings,
  databases: readonly string[],
  streams: readonly string[],
): Promise<string[]> {
  if (streams.length === 0) return [];
  const there = await withOwnSession(at, 'remove', (client) =>
    rows<{ name: string }>(client, 'SELECT datname AS name FROM pg_database WHERE datname = ANY ($1)', [databases]),
  );
  const filled: string[] = [];
  for (const { name } of there) {
    const begun = await withOwnSession({ ...at, database: name }, 'remove', begunSeed);
    if (begun !== undefined && streams.includes(begun)) filled.push(name);
  }
  return filled;
}

/**
 * Drops a database and makes it as it was, empty, with its owner and its order of text; who may not make databases there
 * leaves it.
 */
export async function emptyAgain(at: ConnectionSettings, database: string): Promise<void> {
  if (await isDropped(at, database)) return;
  const like = await withOwnSession({ ...at, database }, 'remove', readLocale);
  await inMaintenance(at, async (client) => {
    const [found] = await rows<{ owner: string }>(
      client,
      `SELECT o.rolname AS owner FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba, pg_roles r
      WHERE d.datname = $1 AND r.rolname = current_user AND (r.rolsuper OR r.rolcreatedb AND pg_has_role(o.oid, 'MEMBER'))`,
      [database],
    );
    if (!found) return;
    await dropDatabase(client, database);
    await makeLike(client, database, like);
    await client.query(`ALTER DATABASE ${ident(database)} OWNER TO ${ident(found.owner)}`);
  });
}
