import { label, readTables, type Table } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { mapTables } from '../mapping.ts';

/**
 * Tables that should be replicated and are not, as they are now: the publication names a table by its OID and the
 * subscription keeps those that it applies by theirs, so one that was made again under its name is in neither, and
 * nothing tells.
 */
export async function unfollowed(
  publisher: Client,
  subscriber: Client,
  name: string,
  direction: 'forward' | 'reverse',
): Promise<string[]> {
  const [from, to] = [await readTables(publisher), await readTables(subscriber)];
  const { published } = mapTables(from, to, direction);
  const sent = new Set(
    (
      await rows<{ oid: number }>(
        publisher,
        'SELECT r.prrelid::int8::float8 AS oid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = $1',
        [name],
      )
    ).map(({ oid }) => oid),
  );
  const applied = new Map(
    (
      await rows<{ oid: number; state: string }>(
        subscriber,
        'SELECT r.srrelid::int8::float8 AS oid, r.srsubstate AS state FROM pg_subscription_rel r JOIN ' +
          'pg_subscription s ON s.oid = r.srsubid WHERE s.subname = $1',
        [name],
      )
    ).map(({ oid, state }) => [oid, state]),
  );
  const at = (tables: readonly Table[], name: string) => tables.find((table) => label(table) === name);
  return published.flatMap(({ table }) => {
    const [here, there] = [at(from, label(table)), at(to, label(table))];
    if (!here || !there) return [];
    if (!sent.has(here.oid)) return [`${label(table)}: another table than the one that is published`];
    const state = applied.get(there.oid);
    if (state === undefined) return [`${label(table)}: another table than the one that is applied to`];
    return state === 'r' ? [] : [`${label(table)}: its subscription is in state ${state}`];
  });
}
