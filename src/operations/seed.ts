import { other } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import { lsnBytes, lsnDistance } from '../model/lsn.ts';
import { replicationRole, seedSnapshotName, streamName } from '../model/names.ts';
import { waitFor } from '../model/wait.ts';
import { withBackupMode } from '../postgres/backup.ts';
import { barrier } from '../postgres/barrier.ts';
import { readTables } from '../postgres/catalogue.ts';
import { cleanCopy } from '../postgres/clean-copy.ts';
import { one, type Client } from '../postgres/client.ts';
import { ensureControlSchema } from '../postgres/control.ts';
import { fence } from '../postgres/fence.ts';
import { parkedPosition } from '../postgres/position.ts';
import { ident } from '../postgres/quote.ts';
import { serverIdentity } from '../postgres/server-identity.ts';
import { createSlot, enable, ensureReplicationRole, publish, startAt, subscribe, unpublish, unsubscribe } from '../postgres/stream.ts';
import type { Context } from './context.ts';
import type { Operation, Step } from './operation.ts';
import { preflightFindings } from './preflight.ts';
import { noteSeed, release, stream } from './release-record.ts';
import { requireSameSchema, schemaDigest } from './schema.ts';
import { requireSteady } from './steady.ts';

const open: Step = {
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
    const digest = await schemaDigest(c, c.live, true);
    await c.ledger.write((journal) => ({
      ...journal,
      generation: journal.generation + 1,
      streams: journal.streams + 1,
      stream: { name: streamName(c.environment.name, journal.streams + 1, c.live, c.idle), from: c.live, to: c.idle },
      release: { from: journal.liveRelease, to: candidate.release, candidate: c.idle, startedAt: new Date().toISOString(), seed: {}, schema: { [c.live]: digest } },
      timeline: [],
    }));
  },
  async undo(c) {
    await c.on(c.live, (client) => client.query(`DROP ROLE IF EXISTS ${ident(replicationRole)}`));
    await c.ledger.write((journal) => ({ ...journal, release: null, stream: null }));
  },
};

const publication: Step = {
  id: 'publication',
  title: 'publish all tables of the live database',
  why: 'the slot decodes only what a publication names, and it must exist before the slot',
  risk: 'UPDATE and DELETE on a table without replica identity would fail: preflight refused those',
  async run(c) {
    return c.on(c.live, async (client) => {
      const tables = await readTables(client);
      await publish(client, stream(c).name, tables.map((table) => ({ table })));
      return `${tables.length} tables`;
    });
  },
  undo: withdrawStream,
};

const slot: Step = {
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
  undo: withdrawStream,
};

const snapshot: Step = {
  id: 'snapshot',
  title: 'snapshot the live volume',
  why: 'the copy costs the same at any size where the storage shares blocks, and blocks nobody',
  risk: 'reads the whole volume where the storage cannot share blocks',
  async run(c) {
    const name = seedSnapshotName(c.journal.generation);
    await noteSeed(c, { snapshot: name });
    const { total } = await c.on(c.live, (client) => one<{ total: number }>(client, 'SELECT sum(pg_database_size(oid))::float8 AS total FROM pg_database'));
    let done = 0;
    const facts = await c.on(c.live, (client) =>
      c.platform.servers.snapshot(c.live, name, (copy) => withBackupMode(client, name, copy), (bytes) => {
        done += bytes;
        c.emit({ type: 'progress', step: 'snapshot', done, total: Math.max(total, done), unit: 'bytes' });
      }),
    );
    await requireSteady(c);
    await noteSeed(c, { method: facts.method });
    return `${facts.method === 'copy' ? 'full copy: this filesystem has no reflink' : facts.method}, ${Math.round(facts.bytes / 1024 ** 2)} MiB`;
  },
  async undo(c) {
    await c.platform.servers.removeSnapshot(seedSnapshotName(c.journal.generation));
  },
};

const restore: Step = {
  id: 'restore',
  title: 'start the copy as a parked standby',
  why: 'a standby with nothing to follow replays what the snapshot holds and stops there',
  risk: 'none for the live colour',
  async run(c) {
    await c.platform.servers.restore(c.idle, seedSnapshotName(c.journal.generation), { generation: c.journal.generation, consume: true, onBytes: () => undefined });
  },
  async undo(c) {
    await c.platform.servers.remove(c.idle);
  },
};

const position: Step = {
  id: 'position',
  title: 'read the position X of the copy',
  why: 'the subscription must start exactly where the copy ends: neither a transaction lost nor one applied twice',
  risk: 'none; the position is written down before the copy is promoted, because promotion forgets it',
  async run(c) {
    if (release(c).seed.position) return;
    const found = await onCandidate(c, (client) => parkedPosition(client, c.environment.limits.catchUp, c.signal));
    if (found === undefined) {
      throw new VerdigrisError('failed', 'promoted-early', {
        seen: `${c.idle} was promoted before its position was written down.`,
        required: 'the position that the parked copy had replayed; nothing else gives it exactly.',
        next: 'the candidate is thrown away; seed again.',
      });
    }
    const { slotLsn } = release(c).seed;
    if (!slotLsn || lsnBytes(found) < lsnBytes(slotLsn)) {
      throw new VerdigrisError('failed', 'position-before-slot', {
        seen: `The copy ends at X = ${found}, before the slot begins at C = ${slotLsn ?? 'unknown'}.`,
        required: 'X ≥ C: the server would start at C without a word, and what lies between would be lost.',
        next: 'the candidate is thrown away; seed again.',
      });
    }
    await requireSteady(c);
    await noteSeed(c, { position: found });
    return `X = ${found}, ${lsnDistance(slotLsn, found)} bytes after C`;
  },
};

const promote: Step = {
  id: 'promote',
  title: 'promote the copy',
  why: 'a subscriber must take writes',
  risk: 'none: nobody can reach it but Verdigris',
  async run(c) {
    await onCandidate(c, async (client) => {
      const { inRecovery } = await serverIdentity(client);
      if (inRecovery) await client.query('SELECT pg_promote(true, 60)');
      await waitFor(async () => ((await serverIdentity(client).catch(() => undefined))?.inRecovery === false ? true : undefined), { limit: 60_000, signal: c.signal, what: 'the end of recovery', next: 'see the log of the candidate.' });
    });
  },
};

const align: Step = {
  id: 'align',
  title: 'clean the copy and close it to applications',
  why: 'copied slots, subscriptions and publications belong to the original; writes there would be lost or collide',
  risk: 'none for the live colour',
  async run(c) {
    await onCandidate(c, async (client) => {
      await cleanCopy(client);
      await fence(client, c.ledger.token, 10_000);
    });
    // DDL between the slot and the end of the snapshot shows here, since the copy has it and the record does not, or the reverse.
    await requireSameSchema(c, c.idle, release(c).schema[c.live]);
  },
};

const unpark: Step = {
  id: 'unpark',
  title: 'restart the copy with ordinary settings',
  why: 'replication workers were off while a copied subscription could have run',
  risk: 'none for the live colour',
  async run(c) {
    await c.platform.servers.unpark(c.idle);
    await c.platform.traffic.refresh(c.ledger.token);
  },
};

const subscription: Step = {
  id: 'subscription',
  title: 'subscribe from X',
  why: 'changes after X come by replication; those before it are in the copy',
  risk: 'disabled until its start is set: a worker that began earlier would lose data',
  async run(c) {
    const { name, from } = stream(c);
    const { position: start } = release(c).seed;
    if (!start) throw new Error('the position is written down before the subscription is made');
    await requireSteady(c);
    const conninfo = await c.platform.servers.conninfo(from);
    await c.on(c.idle, async (client) => {
      await subscribe(client, name, conninfo, c.environment.database);
      await startAt(client, name, start);
    });
  },
  async undo(c) {
    if (c.journal.stream && (await c.platform.servers.observe(c.idle))?.running) await c.on(c.idle, (client) => unsubscribe(client, stream(c).name)).catch(() => undefined);
  },
};

const enabling: Step = {
  id: 'enable',
  title: 'start replication',
  why: 'the candidate catches up with what was written since X',
  risk: 'one more sender on the live server',
  async run(c) {
    await requireSteady(c);
    await c.on(c.idle, (client) => enable(client, stream(c).name));
  },
};

const catchUp: Step = {
  id: 'catch-up',
  title: 'wait until the candidate has caught up',
  why: 'a marker written now must arrive, which proves that replication works from end to end',
  risk: 'none; gives up after limits.catchUp',
  async run(c) {
    const lsn = await c.keeping([c.live, c.idle], () => c.on(c.live, (from) => c.on(c.idle, (to) => barrier(from, to, stream(c).name, c.environment.limits.catchUp, c.signal))));
    await requireSteady(c);
    return `in step at ${lsn}`;
  },
};

export const seed: Operation = {
  verb: 'seed',
  from: ['single'],
  to: 'seeded',
  clientsWait: () => 0,
  validate: async (c) => [...declared(c), ...(await preflightFindings(c, 'seed'))],
  start: [open, publication, slot, snapshot, restore, position, promote, align, unpark, subscription, enabling, catchUp],
  commit: (journal) => ({ ...journal, state: 'seeded' }),
  complete: [{
    id: 'tidy',
    title: 'drop the snapshot',
    why: 'the copy no longer needs it',
    risk: 'none',
    run: (c) => c.platform.servers.removeSnapshot(seedSnapshotName(c.journal.generation)),
  }],
};

/** Slot and publication go together, whichever of the two was reached. */
async function withdrawStream(c: Context): Promise<void> {
  if (c.journal.stream) await c.on(c.live, (client) => unpublish(client, stream(c).name));
}

/** With a connection to the candidate, which is started first where it died meanwhile: parked, it replays to the same position again. */
async function onCandidate<T>(c: Context, use: (client: Client) => Promise<T>): Promise<T> {
  await c.platform.servers.start(c.idle);
  return c.on(c.idle, use);
}

/** What the declaration must say before a candidate can be made. */
function declared(c: Context): Finding[] {
  const candidate = c.environment.colours[other(c.live)];
  const reason = 'A release is from one declared colour to the other.';
  if (!candidate) return [{ id: 'no-candidate-declared', grade: 'refuse', title: `colours.${c.idle} is not declared`, objects: [], reason, mend: `Declare colours.${c.idle} with the release to come.` }];
  if (candidate.release === c.journal.liveRelease) return [{ id: 'same-release', grade: 'refuse', title: `${c.idle} declares release ${candidate.release}, which is live already`, objects: [], reason, mend: `Give colours.${c.idle}.release the name of the release to come.` }];
  if (candidate.postgres !== c.environment.colours[c.live]?.postgres) return [{ id: 'major-differs', grade: 'refuse', title: `${c.idle} declares PostgreSQL ${candidate.postgres}, ${c.live} another major`, objects: [], reason: 'A copy of a volume has the major of its original; an upgrade inside a release is not available yet.', mend: `Declare the same major for both colours.` }];
  return [];
}
