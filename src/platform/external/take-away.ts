import type { Environment } from '../../model/environment.ts';
import {
  lockerRole,
  hookRole,
  knockRole,
  migrationRole,
  operatorRole,
  readerRole,
  replicationRole,
  streamPrefix,
} from '../../model/names.ts';
import { rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { giveRolesBack, type RolesToGiveBack } from '../../postgres/globals/before.ts';
import { reopenByRights, takenConnect } from '../../postgres/fence-by-rights.ts';
import { fencedRoles } from '../../postgres/fence.ts';
import { closedTables } from '../../postgres/part/fence-state.ts';
import { ident } from '../../postgres/quote.ts';
import { unpublish } from '../../postgres/stream/publication.ts';
import { unsubscribe } from '../../postgres/stream/subscription.ts';

/** As `takeAway`, in every database that a release carries or carried: the roles go with the last one, the first. */
export async function takeAwayInEach(
  client: Client,
  settings: ConnectionSettings,
  { name, database, databases }: Pick<Environment, 'name' | 'database' | 'databases'>,
  before?: RolesToGiveBack,
): Promise<string[]> {
  const streams = await rows<{ name: string }>(
    client,
    `SELECT database AS name FROM pg_replication_slots WHERE starts_with(slot_name, $1)
    UNION SELECT datname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE starts_with(subname, $1)`,
    [streamPrefix(name)],
  );
  const there = await rows<{ name: string }>(client, 'SELECT datname AS name FROM pg_database WHERE datname <> $1', [
    database,
  ]);
  const wanted = new Set([...databases, ...streams.map((each) => each.name)]);
  const given = before && (await haveSchema(client)) ? await giveRolesBack(client, before) : undefined;
  const opened = given?.opened;
  const left: string[] = [];
  for (const further of there.filter((each) => wanted.has(each.name)))
    left.push(
      ...(
        await withOwnSession({ ...settings, database: further.name }, 'remove', (inside) =>
          takeAway(inside, name, opened),
        )
      ).slice(0, 1),
    );
  const unknown = given?.unknown ?? [];
  return [
    ...left,
    ...(await takeAway(client, name, opened)),
    ...(unknown.length > 0
      ? [
          `the password that the release set for ${unknown.join(', ')} (nobody can read there what it was: ` +
            'who used another sets it again)',
        ]
      : []),
  ];
}

/**
 * Drops subscriptions, slots and publications of the environment, Verdigris's schema, and its roles but the one that is
 * connected. The rows stay, and so does the fence: they are not the data any more. Only roles that are `opened`
 * again can come in. Returns what is left, for people. Safe to run again.
 */
async function takeAway(client: Client, environment: string, opened?: readonly string[]): Promise<string[]> {
  const prefix = streamPrefix(environment);
  const named = async (sql: string): Promise<string[]> =>
    (await rows<{ name: string }>(client, sql, [prefix])).map(({ name }) => name);
  const ours = await haveSchema(client);
  if (ours && opened) await reopenByRights(client);
  const closed = ours ? (await fencedRoles(client)).filter((role) => !opened?.includes(role)) : [];
  const taken = (await takenConnect(client)).map(({ grantee }) => grantee || 'PUBLIC');
  for (const name of await named(
    `SELECT subname AS name FROM pg_subscription WHERE starts_with(subname, $1)
    AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  ))
    await unsubscribe(client, name);
  if (ours)
    for (const name of await named(
      `SELECT slot_name AS name FROM pg_replication_slots WHERE starts_with(slot_name, $1) AND database = current_database()
      UNION SELECT pubname FROM pg_publication WHERE starts_with(pubname, $1)`,
    ))
      await unpublish(client, name);
  const tables = await closedTables(client);
  await client.query('DROP SCHEMA IF EXISTS verdigris CASCADE');
  const staying: string[] = [];
  for (const role of [knockRole, migrationRole, hookRole, replicationRole, readerRole, lockerRole])
    if (!(await dropRole(client, role))) staying.push(role);
  return [
    leftWithRows(client.database ?? ''),
    `the role ${[operatorRole, ...staying].join(', ')}`,
    ...(closed.length > 0 ? [`closed to ${closed.join(', ')} (NOLOGIN)`] : []),
    ...(tables.length > 0
      ? [
          `closed to writers: ${tables.join(', ')} (DROP SCHEMA verdigris_fence CASCADE opens them, and lets them be dropped)`,
        ]
      : []),
    ...(taken.length > 0 ? [`closed to those who had CONNECT on it: ${taken.join(', ')}`] : []),
  ];
}

/** How it is said that a database stays. */
export function leftWithRows(database: string): string {
  return `the database ${database} with its rows`;
}

async function haveSchema(client: Client): Promise<boolean> {
  return (await rows(client, "SELECT FROM pg_namespace WHERE nspname = 'verdigris'")).length > 0;
}

/**
 * Says whether it is gone. It stays where another environment on the same server uses it, for it has grants in another
 * database then (2BP01 dependent_objects_still_exist), and where somebody else has made it (42501).
 */
async function dropRole(client: Client, role: string): Promise<boolean> {
  const there = await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1', [role]);
  if (there.length === 0) return true;
  const drop = async (): Promise<true> => {
    await client.query(`DROP OWNED BY ${ident(role)}`);
    await client.query(`DROP ROLE ${ident(role)}`);
    return true;
  };
  return drop().catch((error: { code?: string }) => {
    if (error.code !== '2BP01' && error.code !== '42501') throw error;
    return false;
  });
}
