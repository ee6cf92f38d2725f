import { rows, type Client } from '../client.ts';
import { ofStream } from '../fingerprint/scope.ts';

/** Tables with the subscriptions of others whose rows arrive there: no trigger hears those. */
export async function readFeeds(client: Client, tables: readonly string[]): Promise<string[]> {
  const found = await rows<{ fed: string }>(
    client,
    `SELECT format('%s (by the subscription %I)', r.srrelid::regclass, s.subname) AS fed
    FROM ONLY pg_catalog.pg_subscription_rel r JOIN ONLY pg_catalog.pg_subscription s ON s.oid = r.srsubid
    WHERE r.srrelid = ANY ($1::text[]::regclass[]) AND NOT ${ofStream('s.subname')} ORDER BY 1`,
    [tables],
  );
  return found.map(({ fed }) => fed);
}
