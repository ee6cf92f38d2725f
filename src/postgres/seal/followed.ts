import { label, readTables } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { mapTables } from '../mapping.ts';
import { asPublished } from '../stream/publication.ts';

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
  const { published } = mapTables(await readTables(publisher), await readTables(subscriber), direction);
  const [from, to] = [await readOids(publisher), await readOids(subscriber)];
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
  return (await asPublished(publisher, published, subscriber)).flatMap(({ table }) => {
    const [here, there] = [from.get(label(table)), to.get(label(table))];
    if (here === undefined || there === undefined) return [];
    if (!sent.has(here)) return [`${label(table)}: another table than the one that is published`];
    const state = applied.get(there);
    if (state === undefined) return [`${label(table)}: another table than the one that is applied to`];
    return state === 'r' ? [] : [`${label(table)}: its subscription is in state ${state}`];
  });
}

/** Of every table, partitions too. */
async function readOids(client: Client): Promise<ReadonlyMap<string, number>> {
  const found = await rows<{ schema: string; name: string; oid: number }>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name, c.oid::int8::float8 AS oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')`,
  );
  return new Map(found.map(({ oid, ...table }) => [label(table), oid]));
}
