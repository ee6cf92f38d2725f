import { z } from 'zod';
import { rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { databaseOid, databaseShape, makeShaped, readShape, giveShape, type DatabaseShape } from '../database-shape.ts';
import { dropDatabase } from '../drop-database.ts';
import { firstUserOid } from '../fingerprint/scope.ts';
import { openByRights } from '../fence-by-rights.ts';
import { maintenance } from '../maintenance.ts';
import { withOwnSession } from '../session.ts';
import { isSuperuser } from '../superuser.ts';
import { begunSeed } from './ledger.ts';

/**
 * Databases that a seed has filled and that are to be empty again, by name: which one it was, and what is made in its
 * place. Written down before any is dropped: who drops one and dies has the next one find out by it.
 */
export const filledDatabases = z.record(z.string(), z.strictObject({ oid: z.int(), shape: databaseShape }));

export type FilledDatabases = z.output<typeof filledDatabases>;

/** Undefined where it does not let this login in, or do that. */
function inMaintenance<T>(at: ConnectionSettings, use: (client: Client) => Promise<T>): Promise<T | undefined> {
  return withOwnSession({ ...at, database: maintenance }, 'remove', use).catch((error: { code?: string }) => {
    if (!['3D000', '42501', '28000'].includes(error.code ?? '')) throw error;
    return undefined;
  });
}

/** Whether a database that a seed has filled is gone, or another one in its place. */
export async function isReplaced(at: ConnectionSettings, database: string, filled: FilledDatabases): Promise<boolean> {
  const oid = await inMaintenance(at, async (client) => (await databaseOid(client, database)) ?? 0);
  return oid !== undefined && oid !== filled[database]?.oid;
}

/**
 * Those of the databases that the seed of one of these streams has begun to fill: each was empty before, and closed to
 * others since, so that nothing in it is anybody's but the seed's. Not one in which somebody whom no fence closes has
 * made something. `before`: what they were like before the release.
 */
export async function filledBySeed(
  at: ConnectionSettings,
  databases: readonly string[],
  streams: readonly string[],
  before: Readonly<Record<string, DatabaseShape>>,
): Promise<FilledDatabases> {
  if (streams.length === 0) return {};
  const there = await withOwnSession(at, 'remove', (client) =>
    rows<{ name: string }>(client, 'SELECT datname AS name FROM pg_database WHERE datname = ANY ($1)', [databases]),
  );
  const filled: [string, FilledDatabases[string]][] = [];
  for (const { name } of there)
    await withOwnSession({ ...at, database: name }, 'remove', async (client) => {
      const begun = await begunSeed(client);
      if (begun === undefined || !streams.includes(begun) || (await isWorkedIn(client))) return;
      const [oid, shape] = [await databaseOid(client, name), before[name] ?? (await readShape(client, name))];
      if (oid !== undefined && shape) filled.push([name, { oid, shape }]);
    });
  return Object.fromEntries(filled);
}

/**
 * Objects of anybody's, without what comes with them. Of the superuser that initdb made, who at a provider is the
 * service's, PostgreSQL writes no ownership down beside its objects themselves.
 */
const owned = `
  SELECT 'pg_class'::regclass::oid AS classid, oid AS objid, relowner AS owner FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
  UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner FROM pg_namespace WHERE nspname !~ '^pg_'
  UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
  UNION ALL SELECT classid, objid, refobjid FROM pg_shdepend WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Whether a role that can come in, and is accepted by name, owns something that came with no extension. */
async function isWorkedIn(client: Client): Promise<boolean> {
  if (await isSuperuser(client)) return false;
  const open = (await openByRights(client)).map(({ role }) => role);
  const theirs = await rows(
    client,
    `SELECT FROM (${owned}) o WHERE pg_get_userbyid(owner) = ANY ($1) AND objid >= ${firstUserOid}
      AND NOT EXISTS (SELECT FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
        WHERE c.oid = o.objid AND o.classid = 'pg_class'::regclass AND n.nspname ~ '^pg_temp_')
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.classid AND e.objid = o.objid AND e.deptype = 'e') LIMIT 1`,
    [open],
  );
  return theirs.length > 0;
}

/** What became of a database, and what it could not be given back. */
export interface Emptied {
  readonly empty: boolean;
  readonly refused: readonly string[];
}

/**
 * Drops a database and makes it as it was, empty. One that is another by now was made so by an attempt before. Left as
 * it is where this role may not make it again, or somebody's slot, subscription or prepared transaction is in it.
 */
export async function emptyAgain(at: ConnectionSettings, database: string, filled: FilledDatabases): Promise<Emptied> {
  const known = filled[database];
  const left = { empty: false, refused: [] };
  if (!known) return left;
  const emptied = await inMaintenance(at, async (client) => {
    const oid = await databaseOid(client, database);
    const may = async () => (await mayMake(client, known.shape.owner)) && !(await isOfOthers(client, database));
    if (oid === known.oid && !((await may()) && (await isDroppedNow(client, database)))) return left;
    const made = oid === undefined || oid === known.oid;
    const refused = made
      ? await makeShaped(client, database, known.shape)
      : await giveShape(client, database, known.shape);
    return { empty: true, refused };
  });
  return emptied ?? left;
}

async function mayMake(client: Client, owner: string): Promise<boolean> {
  const found = await rows(
    client,
    `SELECT FROM pg_roles r, pg_roles o WHERE r.rolname = current_user AND o.rolname = $1
      AND (r.rolsuper OR r.rolcreatedb AND pg_has_role(o.oid,
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END))`,
    [owner],
  );
  return found.length > 0;
}

/** A slot that nobody reads at the moment goes with its database; Verdigris's own have been taken away by now. */
async function isOfOthers(client: Client, database: string): Promise<boolean> {
  const found = await rows(
    client,
    `SELECT FROM pg_replication_slots WHERE database = $1
    UNION ALL SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1`,
    [database],
  );
  return found.length > 0;
}

async function isDroppedNow(client: Client, database: string): Promise<boolean> {
  return dropDatabase(client, database).then(
    () => true,
    (error: { code?: string }) => {
      // Object in use; sessions of a superuser, which only a superuser ends.
      if (!['55006', '42501'].includes(error.code ?? '')) throw error;
      return false;
    },
  );
}
