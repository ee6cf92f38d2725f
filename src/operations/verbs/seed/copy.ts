import prettyBytes from 'pretty-bytes';
import { VerdigrisError } from '../../../model/errors.ts';
import type { Release } from '../../../model/journal.ts';
import { lsnBytes, lsnDistance, type Lsn } from '../../../model/lsn.ts';
import { seedSnapshotName } from '../../../model/names.ts';
import { withBackupMode } from '../../../postgres/backup.ts';
import { one } from '../../../postgres/client.ts';
import { parkedPosition } from '../../../postgres/position.ts';
import type { Context } from '../../engine/context.ts';
import { oneByOne } from '../../engine/each.ts';
import type { Step } from '../../engine/operation.ts';
import { noteSeed, noteSnapshot, release } from '../../engine/release-record.ts';
import { requireSteady } from '../../gates/steady.ts';
import { onCandidate } from './on-candidate.ts';
import { positionBeforeSlot } from './position-before-slot.ts';

export const snapshot: Step = {
  id: 'snapshot',
  title: 'snapshot the live volume',
  why: 'where the storage shares blocks it takes the same time at any size, and blocks nobody',
  risk: 'reads the whole volume where the storage cannot share blocks',
  async run(c) {
    const name = seedSnapshotName(c.journal.generation);
    await noteSnapshot(c, name);
    await noteSeed(c, { snapshot: name });
    const { total } = await c.on(c.live, (client) =>
      one<{ total: number }>(client, 'SELECT sum(pg_database_size(oid))::float8 AS total FROM pg_database'),
    );
    let done = 0;
    const facts = await c.on(c.live, (client) =>
      c.platform.servers.snapshot(
        c.live,
        name,
        (copy) => withBackupMode(client, name, copy),
        (bytes) => {
          done += bytes;
          c.emit({ type: 'progress', step: 'snapshot', done, total: Math.max(total, done), unit: 'bytes' });
        },
      ),
    );
    await requireSteady(c);
    await noteSeed(c, { method: facts.method });
    const how = facts.method === 'copy' ? 'full copy: this filesystem has no reflink' : facts.method;
    return `${how}, ${prettyBytes(facts.bytes)}`;
  },
  async undo(c) {
    await c.platform.servers.removeSnapshot(seedSnapshotName(c.journal.generation));
  },
};

export const restore: Step = {
  id: 'restore',
  title: 'start the copy as a parked standby',
  why: 'a standby with nothing to follow replays what the snapshot holds and stops there',
  risk: 'none for the live colour',
  async run(c) {
    await c.platform.servers.restore(c.idle, seedSnapshotName(c.journal.generation), {
      generation: c.journal.generation,
      consume: true,
      onBytes: () => undefined,
    });
  },
  async undo(c) {
    await c.removeIdle();
  },
};

export const position: Step = {
  id: 'position',
  title: 'read the position X of the copy',
  why: 'the subscription must start exactly where the copy ends: neither a transaction lost nor one applied twice',
  risk: 'none; the position is written down before the copy is promoted, because promotion forgets it',
  async run(c) {
    if (release(c).seed.position) return;
    const found = await onCandidate(c, (client) => parkedPosition(client, c.environment.limits.catchUp, c.signal));
    if (found === undefined) {
      throw new VerdigrisError('promoted-early', {
        seen: `${c.idle} was promoted before its position was recorded.`,
        required: 'the position that the parked copy had replayed; nothing else gives it exactly.',
        next: 'the candidate is removed; seed again.',
      });
    }
    const distances = await oneByOne(c, (inside) => Promise.resolve(distanceToSlot(inside, found)));
    await requireSteady(c);
    // In one write: a copy that crashes and is started again may replay to another position.
    await c.ledger.write((journal) => ({ ...journal, release: endsAt(release(c), found) }));
    return `X = ${found}, ${distances.map((each) => prettyBytes(each)).join(' and ')} after C`;
  },
};

/** @throws VerdigrisError `position-before-slot` */
function distanceToSlot(c: Context, found: Lsn): number {
  const { slotLsn } = release(c).seed;
  if (slotLsn && lsnBytes(found) >= lsnBytes(slotLsn)) return lsnDistance(slotLsn, found);
  throw positionBeforeSlot('copy', found, slotLsn ?? 'unknown', 'the candidate is removed');
}

/** All databases of a copy end at one position. */
function endsAt(whole: Release, position: Lsn): Release {
  const at = <T extends Pick<Release, 'seed'>>(part: T): T => ({ ...part, seed: { ...part.seed, position } });
  const { databases } = whole;
  return {
    ...at(whole),
    ...(databases
      ? { databases: Object.fromEntries(Object.entries(databases).map(([name, part]) => [name, at(part)])) }
      : {}),
  };
}

/** After the commit point nothing restores from it any more. */
export const tidy: Step = {
  id: 'tidy',
  title: 'drop the snapshot',
  why: 'the copy no longer needs it',
  risk: 'none',
  run: async (c) => (await c.platform.servers.removeSnapshot(seedSnapshotName(c.journal.generation))) ?? undefined,
};
