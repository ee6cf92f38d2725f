import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { environmentInside } from '../../model/further-databases.ts';
import { carriedDatabases, journalInside } from '../../model/journal-inside.ts';
import type { Journal } from '../../model/journal.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { rows } from '../../postgres/client.ts';
import { withLooker } from '../../postgres/readers.ts';
import { sendsMarkers } from '../../postgres/stream/publication.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import { readSubscription } from '../../postgres/stream/subscription.ts';
import type { ReplicationStatus } from './status-types.ts';

/** Of each database that the release carries, the environment's first at the front. */
export async function replicationsStatus(
  environment: Environment,
  platform: Platform,
  journal: Journal,
): Promise<ReplicationStatus[]> {
  const [first, ...further] = await Promise.all([
    replicationStatus(environment, platform, journal),
    ...carriedDatabases(journal).map(async (database) => {
      const inside = environmentInside(environment, database);
      const found = await replicationStatus(inside, platform, journalInside(journal, database));
      return found && { ...found, database };
    }),
  ]);
  return [first && (further.length > 0 ? { ...first, database: environment.database } : first), ...further].filter(
    (each) => each !== undefined,
  );
}

/** All databases go back together, or none: the stream that is worst off says how the release is. */
export function worstReplication(replications: readonly ReplicationStatus[]): ReplicationStatus | undefined {
  const rank = ({ slot, applying }: ReplicationStatus): number =>
    ['missing', 'lost'].includes(slot) ? 3 : slot === 'unknown' ? 2 : applying ? 0 : 1;
  return replications.toSorted((a, b) => rank(b) - rank(a) || (b.lagBytes ?? 0) - (a.lagBytes ?? 0))[0];
}

async function replicationStatus(
  environment: Environment,
  platform: Platform,
  journal: Journal,
): Promise<ReplicationStatus | undefined> {
  const { stream } = journal;
  if (!stream) return undefined;
  const { name, from, to } = stream;
  const at = async (colour: Colour) => ({
    ...(await platform.servers.connection(colour)),
    database: environment.database,
  });
  try {
    const published = await withLooker(await at(from), 'status', async (client) => ({
      slot: await readSlot(client, name),
      marked: await sendsMarkers(client, name),
      sender: (
        await rows<{ seconds: number }>(
          client,
          'SELECT coalesce(extract(epoch FROM replay_lag), 0)::float8 AS seconds FROM pg_stat_replication WHERE application_name = $1',
          [name],
        )
      )[0],
    }));
    // While it is seeded there may be no such server yet.
    const subscribed = await at(to)
      .then((settings) => withLooker(settings, 'status', (client) => readSubscription(client, name)))
      .catch(() => 'unknown' as const);
    const known = subscribed !== 'unknown';
    const applying = known && subscribed?.enabled === true && subscribed.working;
    const subscription = !known || subscribed?.enabled ? undefined : subscribed ? 'disabled' : 'missing';
    return {
      name,
      from,
      to,
      ...(applying ? {} : { applyError: await platform.servers.applyError?.(to).catch(() => undefined) }),
      slot: published.slot?.walStatus ?? 'missing',
      applying,
      ...(subscription && { subscription }),
      ...(published.marked ? {} : { marked: false }),
      lagBytes: published.slot?.behind,
      lagSeconds: published.sender?.seconds,
      retainedBytes: published.slot?.retained,
    };
  } catch {
    return { name, from, to, slot: 'unknown', applying: false };
  }
}
