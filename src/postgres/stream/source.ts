import { quoteConninfo } from '../../model/conninfo.ts';
import { replicationRole } from '../../model/names.ts';
import { one, rows, type Client } from '../client.ts';
import { requireOwnRole } from '../own-roles.ts';
import { ident, literal } from '../quote.ts';
import { noLimits, setForRole } from '../role-settings.ts';
import { quietly } from '../secretly.ts';
import { isSuperuser } from '../superuser.ts';
import { passwordClause } from '../verifier.ts';

/** The role that the other colour's subscription logs in with. */
export async function ensureReplicationRole(client: Client, password: string | undefined): Promise<void> {
  const present = await rows<{ given: boolean }>(
    client,
    'SELECT rolreplication AS given FROM pg_roles WHERE rolname = $1',
    [replicationRole],
  );
  if (present[0]?.given === false) await requireOwnRole(client, replicationRole);
  const secret = password === undefined ? '' : ` ${passwordClause(password)}`;
  // A copy of another environment's server has it closed, as every role that it came with.
  const how = present.length === 0 ? 'CREATE' : 'ALTER';
  const statement = `${how} ROLE ${ident(replicationRole)} LOGIN REPLICATION${secret}`;
  await quietly(client, async () => void (await client.query(statement)));
  await setForRole(client, ident(replicationRole), { ...noLimits, ...sameText });
}

/**
 * Of whoever is to own a subscription, `role` as SQL names it: the process that applies begins with what ALTER DATABASE has set
 * for clients. A limit would end a long transaction again and again, and the others change what values and
 * transactions mean, and by whose rights rows are written.
 */
export async function ensureApplies(subscriber: Client, role = 'CURRENT_USER'): Promise<void> {
  await setForRole(subscriber, role, {
    ...noLimits,
    ...sameText,
    array_nulls: 'on',
    xmloption: 'content',
    default_transaction_isolation: 'read committed',
  });
}

/** What is sent is the text of values; to the other settings that it depends on PostgreSQL itself sees, at both ends. */
const sameText = { lc_monetary: 'C', role: 'none' };

export function sourceOf(name: string, conninfo: string, database: string): string {
  return `${conninfo} dbname=${quoteConninfo(database)} user=${replicationRole} application_name=${name}`;
}

/**
 * Has a subscription that is there connect in another way, and goes on from where it is: its slot and its origin stay.
 * False where it does so already: then its worker is not started again.
 */
export async function changeSource(
  subscriber: Client,
  name: string,
  conninfo: string,
  database: string,
): Promise<boolean> {
  const source = sourceOf(name, conninfo, database);
  // Only a superuser may read what holds a password. It is compared here: a server's log has what it is asked with.
  const known = await isSuperuser(subscriber);
  const found = await one<{ source: string | null }>(
    subscriber,
    `SELECT ${known ? 'subconninfo' : 'NULL'} AS source FROM pg_subscription WHERE subname = $1`,
    [name],
  );
  if (found.source === source) return false;
  await quietly(
    subscriber,
    async () => void (await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} CONNECTION ${literal(source)}`)),
  );
  return true;
}

/**
 * Connects from the server of `subscriber` as a subscription would, and leaves nothing: what is made is rolled back.
 * The publication does not exist, of which PostgreSQL only warns; so no table of anybody's is looked at.
 */
export async function tryStream(subscriber: Client, conninfo: string, database: string): Promise<void> {
  const none = 'verdigris_none';
  const source = `${conninfo} dbname=${quoteConninfo(database)} user=${replicationRole} connect_timeout=5 application_name=verdigris_trial`;
  const undone = new Error('rolled back');
  await quietly(subscriber, async () => {
    await subscriber.query(`CREATE SUBSCRIPTION ${ident(none)} CONNECTION ${literal(source)} PUBLICATION ${ident(none)}
      WITH (connect = true, copy_data = false, create_slot = false, enabled = false, slot_name = NONE)`);
    throw undone;
  }).catch((error: unknown) => {
    if (error !== undone) throw error;
  });
}
