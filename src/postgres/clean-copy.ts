import { rows, type Client } from './client.ts';
import { ofStream } from './fingerprint/scope.ts';
import { ident } from './quote.ts';

/**
 * Takes away what a copy of a volume, or a promoted standby, carries and must not use: slots, subscriptions, publications and markers of the
 * original. A copied subscription that ran would steal from its publisher: workers are off until this is done.
 */
export async function cleanCopy(client: Client, { slots } = { slots: true }): Promise<void> {
  for (const { name } of await rows<{ name: string }>(
    client,
    'SELECT subname AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())',
  )) {
    await client.query(`ALTER SUBSCRIPTION ${ident(name)} DISABLE`);
    await client.query(`ALTER SUBSCRIPTION ${ident(name)} SET (slot_name = NONE)`);
    await client.query(`DROP SUBSCRIPTION ${ident(name)}`);
  }
  for (const { name } of await rows<{ name: string }>(
    client,
    `SELECT pubname AS name FROM pg_publication WHERE ${ofStream('pubname')}`,
  ))
    await client.query(`DROP PUBLICATION ${ident(name)}`);
  // A standby's own slots are those of standbys behind it.
  if (slots)
    await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active');
  await client.query('DELETE FROM verdigris.barrier');
}
