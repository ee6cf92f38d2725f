import { ended, isOf } from '../../model/delivery-record.ts';
import { replicationRole, streamPrefix } from '../../model/names.ts';
import { removeKeepers } from '../../migrations/backfill/keeper.ts';
import { rows } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import { dropOpened } from '../../postgres/part/fence.ts';
import { unpublish } from '../../postgres/stream/publication.ts';
import { subscriptionsBelow, unsubscribe } from '../../postgres/stream/subscription.ts';
import type { Release } from '../../model/journal.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import type { Context } from '../engine/context.ts';
import { oneByOne } from '../engine/each.ts';
import type { Step } from '../engine/operation.ts';
import { tablesAt } from '../engine/part.ts';
import { ownSnapshots } from '../engine/release-record.ts';

/** Ends replication in both directions between the colours, as far as they still run. */
export const clearStreams: Step = {
  id: 'clear-streams',
  title: 'take replication away',
  why: 'a slot that nobody reads fills the live disk',
  risk: 'none: nothing needs it any more',
  async run(c) {
    await oneByOne(c, clearInside);
    const left = tablesAt(c, c.live) ? await c.on(c.live, dropOpened) : [];
    await c.ledger.write((journal) => ({ ...journal, stream: null, closing: null }));
    return left.length === 0 ? undefined : `left, and doing nothing: the trigger verdigris_fence on ${left.join(', ')}`;
  },
};

/** The streams of one database. */
async function clearInside(c: Context): Promise<void> {
  for (const stream of [c.journal.stream, c.journal.closing]) {
    if (!stream) continue;
    await c.ifRunning(stream.to, (client) => unsubscribe(client, stream.name));
    await c.ifRunning(stream.from, (client) => unpublish(client, stream.name));
  }
  // Markers came by replication too, under the names of the streams that carried them. A switchover that was
  // undone while the other colour was down may have left what it had prepared there.
  await c.on(c.live, async (client) => {
    for (const { name } of await rows<{ name: string }>(
      client,
      'SELECT slot_name AS name FROM pg_replication_slots WHERE starts_with(slot_name, $1) AND database = current_database() ' +
        'UNION SELECT pubname FROM pg_publication WHERE starts_with(pubname, $1)',
      [streamPrefix(c.environment.name)],
    ))
      await unpublish(client, name);
    // A journal that was rebuilt does not know the streams of further databases.
    for (const name of await subscriptionsBelow(client, streamPrefix(c.environment.name)))
      await unsubscribe(client, name);
    await client.query('DELETE FROM verdigris.barrier');
    await removeKeepers(client);
  });
}

/** Removes the colour that is not live, with its storage. */
export const clearColour: Step = {
  id: 'clear-colour',
  title: 'remove the other colour and its storage',
  why: 'nothing refers to it any more',
  risk: 'its data is gone for good',
  async run(c) {
    const left = await c.removeIdle();
    await c.platform.traffic.refresh(c.ledger.token);
    return left;
  },
};

export const clearSnapshots: Step = {
  id: 'clear-snapshots',
  title: "remove the release's snapshots",
  why: 'they hold blocks of the volume',
  risk: 'the lossy way back is gone with them',
  async run(c) {
    const there = await c.platform.servers.snapshots();
    const staying: string[] = [];
    for (const name of ownSnapshots(c)) {
      const stays = there.includes(name) ? await c.platform.servers.removeSnapshot(name) : undefined;
      if (stays) staying.push(stays);
    }
    return staying.join('; ') || undefined;
  },
};

export const clearRole: Step = {
  id: 'clear-role',
  title: 'drop the replication role',
  why: 'it served this release only',
  risk: 'none',
  async run(c) {
    await c.on(c.live, (client) => client.query(`DROP ROLE IF EXISTS ${ident(replicationRole)}`));
  },
};

/** Writes the release to the history, and forgets it in the journal. */
export function record(outcome: HistoryEntry['outcome']): Step {
  return {
    id: 'record',
    title: 'write the release to the history',
    why: 'it is asked later what was done, when, and how long it took',
    risk: 'none',
    async run(c) {
      const { release, timeline, acts, delivery: walked } = c.journal;
      if (!release) return;
      const endedAt = new Date().toISOString();
      const delivery = walked && ended(walked, release, outcome, endedAt);
      await c.platform.history.append({
        from: release.from,
        to: release.to,
        outcome,
        startedAt: release.startedAt,
        endedAt,
        pauseMs: release.pauseMs,
        migrations: migrationsOf(release),
        acts,
        reports: reportsOf(release),
        spans: timeline,
        delivery: delivery && isOf(delivery, release) ? delivery : undefined,
      });
      await c.ledger.write((journal) => ({
        ...journal,
        release: null,
        timeline: [],
        acts: [],
        ...(delivery ? { delivery } : {}),
      }));
    },
  };
}

/** Of all databases. */
function migrationsOf({ migrations, databases = {} }: Release): Release['migrations'] {
  const all = [migrations, ...Object.values(databases).map((part) => part.migrations)].flatMap((runs) => runs ?? []);
  return all.length === 0 ? migrations : all;
}

function reportsOf({ tests = [], exported }: Release): string[] {
  return [...tests.map(({ log }) => log), ...(exported ? [exported.file, ...(exported.more ?? [])] : [])];
}
