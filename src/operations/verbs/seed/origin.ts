import { count } from '../../../model/count.ts';
import { replicationRole, streamName } from '../../../model/names.ts';
import { readTables } from '../../../postgres/catalogue.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { ident } from '../../../postgres/quote.ts';
import { serverIdentity } from '../../../postgres/server-identity.ts';
import { rememberHistories } from '../../../postgres/tool-history/carry.ts';
import { createSlot } from '../../../postgres/stream/slot.ts';
import { ensureReplicationRole } from '../../../postgres/stream/source.ts';
import { publish, startPublishing, unpublish } from '../../../postgres/stream/publication.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';
import { noteSeed, stream } from '../../engine/release-record.ts';
import { keepRewrites } from '../../gates/rewritten.ts';
import { schemaDigest } from '../../gates/schema.ts';
import { keepFacts } from '../kept-facts.ts';

export const open: Step = {
  id: 'open',
  title: 'open the release',
  why: 'the journal says what is being made before anything is made',
  risk: 'adds the schema verdigris and a role for replication to the live database; nothing waits for it',
  async run(c) {
    const candidate = c.environment.colours[c.idle];
    if (!candidate) throw new Error('checked by the gates');
    await c.on(c.live, async (client) => {
      await ensureControlSchema(client);
      await ensureReplicationRole(client, await c.platform.servers.replicationPassword?.());
    });
    // Before the copy: what is written meanwhile is then on both, and known as such.
    await c.on(c.live, rememberHistories);
    const digest = await schemaDigest(c, c.live, true);
    await keepFacts(c, c.live);
    await keepRewrites(c, c.live);
    await c.ledger.write((journal) => ({
      ...journal,
      generation: journal.generation + 1,
      streams: journal.streams + 1,
      stream: { name: streamName(c.environment.name, journal.streams + 1, c.live, c.idle), from: c.live, to: c.idle },
      release: {
        from: journal.liveRelease,
        to: candidate.release,
        candidate: c.idle,
        startedAt: new Date().toISOString(),
        ...(c.drills ? { drill: true as const } : {}),
        seed: {},
        schema: { [c.live]: digest },
      },
      timeline: [],
    }));
  },
  async undo(c) {
    await c.on(c.live, (client) => client.query(`DROP ROLE IF EXISTS ${ident(replicationRole)}`));
    await c.ledger.write((journal) => ({ ...journal, release: null, stream: null }));
  },
};

export const publication: Step = {
  id: 'publication',
  title: 'publish all tables of the live database',
  why: 'the slot decodes only what a publication names, and it must exist before the slot',
  risk: 'UPDATE and DELETE on a table without replica identity would fail: preflight refused those',
  async run(c) {
    return c.on(c.live, async (client) => {
      const later = c.platform.servers.seeding(c.live, c.idle) === 'logical' && c.environment.seed.method === 'tables';
      if (later) {
        await startPublishing(client, stream(c).name);
        return 'none yet: each is published when its rows are copied';
      }
      const tables = await readTables(client);
      await publish(
        client,
        stream(c).name,
        tables.map((table) => ({ table })),
      );
      return count(tables.length, 'table');
    });
  },
  frees: true,
  undo: withdrawStream,
};

export const slot: Step = {
  id: 'slot',
  title: 'make the logical slot',
  why: 'from C on, the live server keeps every change for the candidate',
  risk: 'waits for running transactions, no longer than limits.slotCreation; retains WAL on the live disk, no more than limits.retainedWal',
  async run(c) {
    return c.on(c.live, async (client) => {
      const { startTime, timeline } = await serverIdentity(client);
      const slotLsn = await createSlot(client, stream(c).name, c.environment.limits.slotCreation);
      await noteSeed(c, { slotLsn, startTime, timeline });
      return `C = ${slotLsn}`;
    });
  },
  frees: true,
  undo: withdrawStream,
};

/** Slot and publication go together, whichever of the two was reached. */
export async function withdrawStream(c: Context): Promise<void> {
  if (c.journal.stream) await c.on(c.live, (client) => unpublish(client, stream(c).name));
}
