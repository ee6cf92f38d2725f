import { ensureControlSchema } from '../../postgres/control.ts';
import { carryGlobals } from '../../postgres/globals/carry.ts';
import { carrySequences } from '../../postgres/sequences.ts';
import { suspend, unsuspend } from '../../postgres/stream/subscription.ts';
import { keepRotated } from './rotate.ts';
import { clearColour, clearRole, clearSnapshots, clearStreams, record } from './clear.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, inEach, oneByOne } from '../engine/each.ts';
import { requireNone } from '../engine/gates.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { usableFindings } from '../gates/usable.ts';
import { stream } from '../engine/release-record.ts';
import { scopeOf } from '../engine/scope.ts';
import { consent } from './rollback-lossy/consent.ts';
import { export_ } from './rollback-lossy/export.ts';
import { revive } from './rollback-lossy/revive.ts';
import { fence, open, openFenced, refusing } from './switchover/fence.ts';
import { tellHiddenCode } from './switchover/hidden-code.ts';
import { hold, resume as letGo } from './switchover/hold.ts';
import { probe, route } from './switchover/path.ts';
import { tryOut } from './switchover/try-out.ts';

/**
 * Back to the retained colour where reverse replication is gone. What the retained colour lacks is counted and exported
 * before anything moves, and consent is asked for with the count. Where the retained colour itself is gone, it is made
 * again from the snapshot of just before the switchover.
 */
export function rollbackLossy(options: { readonly acceptLoss: boolean }): Operation {
  return {
    verb: 'rollback',
    kind: 'lossy',
    clientsWait: () => Number.POSITIVE_INFINITY,
    validate: async (c) => consent(c, options.acceptLoss),
    start: [revive, tryIfRunning, hold, closeIfRunning, inEach(detach), export_, sequences],
    commit(journal, c) {
      if (!journal.release) throw new Error('a rollback has a release');
      return { ...journal, live: c.idle, liveRelease: journal.release.from };
    },
    complete: [open, route, probe, letGo, clearStreams, clearColour, clearSnapshots, clearRole, record('rolled back')],
  };
}

/** Clients of a live colour that is down have nothing to lose by a hold. */
const tryIfRunning: Step = {
  ...tryOut,
  async run(c) {
    if (!(await c.platform.servers.observe(c.live))?.running) return `${c.live} is down`;
    requireNone(
      'rollback',
      await findingsInEach(c, (inside) => usableFindings(inside, { carried: false, wayBack: false })),
    );
    await tellHiddenCode(c);
    return undefined;
  },
};

/** A live colour that is down takes no writes; it is one reason to go back. */
const closeIfRunning: Step = {
  ...fence,
  async run(c) {
    if (!(await c.platform.servers.observe(c.live))?.running) return;
    await fence.run(c);
    await refusing(c);
  },
  async undo(c) {
    // One that cannot be started serves nobody, fenced or not, and must not be in the way of another attempt; should it
    // come back, the next command opens it.
    if (
      await c.platform.servers.start(c.live).then(
        () => true,
        () => false,
      )
    )
      await openFenced(c);
  },
};

/** Replication that still works, or works again, would go on after the clients and overwrite what they write. */
const detach: Step = {
  id: 'detach',
  title: 'stop what the live colour still sends',
  why: 'a change that arrives after the export was counted as lost, and could undo what clients write after it',
  risk: 'none: what has not arrived by now is exported',
  async run(c) {
    await c.on(c.idle, (client) => suspend(client, stream(c).name, c.environment.limits.switchover, c.signal));
  },
  async undo(c) {
    await c.ifRunning(c.idle, (client) => unsuspend(client, stream(c).name));
  },
};

const sequences: Step = {
  id: 'sequences',
  title: 'carry the sequences over',
  why: 'a number that was handed out must not be handed out again',
  risk: 'leaves gaps',
  async run(c) {
    if ((await c.platform.servers.observe(c.live))?.running) {
      await oneByOne(c, carryInside);
      return undefined;
    }
    const kept = await keepRotated(c);
    return kept.length === 0 ? undefined : `passwords as they were rotated: ${kept.join(', ')}`;
  },
};

async function carryInside(c: Context): Promise<void> {
  await c.on(c.live, (from) =>
    c.on(c.idle, async (to) => {
      // A colour that is older than this version of Verdigris lacks what the carrying is written down in.
      await ensureControlSchema(to);
      await carryGlobals(from, to, scopeOf(c));
      await carrySequences(from, to);
    }),
  );
}
