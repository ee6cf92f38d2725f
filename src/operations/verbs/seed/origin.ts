import type { Colour } from '../../../model/colours.ts';
import { count } from '../../../model/count.ts';
import type { Release } from '../../../model/journal.ts';
import { replicationRole } from '../../../model/names.ts';
import { readTables } from '../../../postgres/catalogue.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { ident } from '../../../postgres/quote.ts';
import { serverIdentity } from '../../../postgres/server-identity.ts';
import { rememberHistories } from '../../../postgres/tool-history/carry.ts';
import { createSlot } from '../../../postgres/stream/slot.ts';
import { ensureReplicationRole } from '../../../postgres/stream/source.ts';
import { publish, startPublishing, unpublish } from '../../../postgres/stream/publication.ts';
import type { Context } from '../../engine/context.ts';
import { oneByOne } from '../../engine/each.ts';
import { newStream } from '../../engine/new-stream.ts';
import type { Step } from '../../engine/operation.ts';
import { partOf } from '../../engine/part.ts';
import { noteSeed, stream } from '../../engine/release-record.ts';
import { keepClosed } from '../../gates/beside.ts';
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
      await ensureReplicationRole(client, await c.platform.servers.replicationPassword?.());
    });
    const [first = '', ...further] = await oneByOne(c, schemaBefore);
    const part = partOf(c);
    const databases = c.each.slice(1).map(({ environment }) => environment.database);
    await c.ledger.write((journal) => ({
      ...journal,
      generation: journal.generation + 1,
      streams: journal.streams + 1,
      stream: newStream(c, journal.streams + 1, c.live, databases),
      release: {
        from: journal.liveRelease,
        to: candidate.release,
        candidate: c.idle,
        startedAt: new Date().toISOString(),
        ...(c.drills ? { drill: true as const } : {}),
        ...unseeded(c.live, first),
        ...(part === undefined ? {} : { part: { origin: part.origin, tables: [...part.tables] } }),
        ...(databases.length === 0
          ? {}
          : {
              databases: Object.fromEntries(databases.map((name, at) => [name, unseeded(c.live, further[at] ?? '')])),
            }),
      },
      timeline: [],
    }));
  },
  async undo(c) {
    await c.on(c.live, (client) => client.query(`DROP ROLE IF EXISTS ${ident(replicationRole)}`));
    await c.ledger.write((journal) => ({ ...journal, release: null, stream: null }));
  },
};

/** Digest of a database's schema before anything is made of it. */
async function schemaBefore(c: Context): Promise<string> {
  await c.on(c.live, async (client) => {
    await ensureControlSchema(client);
    // Before the copy: what is written meanwhile is then on both, and known as such.
    await rememberHistories(client);
  });
  const digest = await schemaDigest(c, c.live, true);
  await keepFacts(c, c.live);
  await keepRewrites(c, c.live);
  await keepClosed(c, c.live);
  return digest;
}

function unseeded(live: Colour, digest: string): Pick<Release, 'seed' | 'schema'> {
  return { seed: {}, schema: { [live]: digest } };
}

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
