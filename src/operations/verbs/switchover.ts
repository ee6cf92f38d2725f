import { VerdigrisError } from '../../model/errors.ts';
import type { OperationRecord } from '../../model/journal.ts';
import { fallbackSnapshotName } from '../../model/names.ts';
import { waitFor } from '../../model/wait.ts';
import { withBackupMode } from '../../postgres/backup.ts';
import { isSealed } from '../../postgres/barrier.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { closeServer, unfence } from '../../postgres/fence.ts';
import { carryGlobals } from '../../postgres/globals/carry.ts';
import { dropStandIns } from '../../postgres/row-identity.ts';
import { carrySequences } from '../../postgres/sequences.ts';
import { carryHistories } from '../../postgres/tool-history/carry.ts';
import { cross } from '../engine/cross.ts';
import type { Context } from '../engine/context.ts';
import { requireNone } from '../engine/gates.ts';
import { usableFindings } from '../gates/usable.ts';
import type { Step } from '../engine/operation.ts';
import { note, noteSnapshot, release, stream } from '../engine/release-record.ts';
import { commitData, runData, tryDataAgain } from './data-statements.ts';
import { advanceReverse, closeStream, prepareReverse, reverse } from './reverse-stream.ts';
import { carryFacts } from './kept-facts.ts';
import { look, seal } from './seal.ts';

/** Milliseconds after which a hold that nobody renews is taken back by the platform's dead man's limit. */
export const holdLease = 3_000;

/**
 * Milliseconds behind the commit point in which the clients' path must take its change, and again in which it must
 * work.
 */
const pathLimit = 60_000;

/** Milliseconds beyond a wait's own limit, which names its cause, until its step is given up. */
const ownLimit = 5_000;

/** A snapshot of the colour that is about to lose the writes, for the day that reverse replication is gone. */
export const fallback: Step = {
  id: 'fallback',
  title: 'snapshot the live volume once more',
  why: 'a way back that does not depend on replication',
  risk: 'reads the whole volume where the storage cannot share blocks',
  async run(c) {
    if (!c.platform.servers.ownsStorage(c.live))
      return 'others run that server: reverse replication alone is the way back';
    const name = attemptsSnapshot(c);
    await noteSnapshot(c, name);
    const before = release(c).fallback;
    const facts = await c.on(c.live, (client) =>
      c.platform.servers.snapshot(
        c.live,
        name,
        (copy) => withBackupMode(client, name, copy),
        () => undefined,
      ),
    );
    if (before !== undefined && before !== name) await c.platform.servers.removeSnapshot(before);
    await note(c, { fallback: name });
    return facts.method;
  },
  async undo(c) {
    const name = attemptsSnapshot(c);
    // The colour that it is a copy of goes on taking writes: the next attempt makes its own.
    if (release(c).fallback === name) await note(c, { fallback: undefined });
    await c.platform.servers.removeSnapshot(name);
  },
};

function attemptsSnapshot(c: Context): string {
  return fallbackSnapshotName(c.journal.streams, operation(c).startedAt);
}

/** A barrier before the hold: what is on its way is waited for while clients still work. */
export const settle: Step = {
  id: 'settle',
  title: 'let replication catch up',
  why: 'the barrier under the fence then has next to nothing to wait for',
  risk: 'none',
  async run(c) {
    await c.platform.traffic.prepare?.(c.ledger.token);
    await crossHere(c);
  },
};

/** Most of it moves rarely: under the fence only what moved since is carried again. */
export const carry: Step = {
  id: 'carry',
  title: 'carry beforehand what replication does not',
  why: 'under the fence, while clients wait, only what changed since is left',
  risk: 'none for the live colour: the other one is closed to all but replication',
  async run(c) {
    const carried = await c.on(c.live, async (from) => {
      await ensureControlSchema(from);
      return c.on(c.idle, async (to) => {
        await ensureControlSchema(to);
        const globals = await carryGlobals(from, to);
        const history = await carryHistories(from, to);
        return `${await carrySequences(from, to)} sequences, ${globals} changes of roles and settings, ${history} rows of tools' histories`;
      });
    });
    return [carried, ...(await carryFacts(c))].join(', ');
  },
};

/** The last moment at which a failure is only that. */
export const tryOut: Step = {
  id: 'try-out',
  title: 'use once what is used behind the commit point',
  why: 'every password, console, route, right and way there, from where it will be used: clients would wait for the one that fails',
  risk: 'none: what cannot be used ends the switchover here',
  async run(c) {
    requireNone(c.journal.operation?.verb ?? 'switch', await usableFindings(c, { carried: true, wayBack: true }));
  },
};

export const hold: Step = {
  id: 'hold',
  title: 'hold the clients',
  why: 'a client that waits is no error; one that is cut off is',
  risk: 'clients wait from here; after limits.pause with a transaction still open, all go on and nothing has happened',
  async run(c) {
    await c.platform.traffic.hold(c.ledger.token, c.environment.limits.pause, holdLease);
    c.startRenewing(() => c.platform.traffic.renew(c.ledger.token, holdLease), holdLease / 4);
  },
  async undo(c) {
    c.stopRenewing();
    await c.platform.traffic.resume(c.ledger.token);
  },
};

/** Of the attempt under way: that the live colour refuses whoever tries to get in. */
const refusals = new WeakMap<Context, Promise<void>>();

export const fence: Step = {
  id: 'fence',
  title: 'fence the live colour',
  why: 'no writer may be left there, not even one that goes round the clients’ path',
  risk: 'sessions that do not come through the clients’ path are ended',
  async run(c) {
    const { refused } = await c.on(c.live, (client) =>
      closeServer(client, c.ledger.token, c.environment.limits.pause, c.environment.fence.accept),
    );
    refusals.set(c, refused);
  },
  async undo(c) {
    // A live server that crashed meanwhile is needed again, whatever else happens.
    await c.platform.servers.start(c.live);
    await c.on(c.live, (client) => unfence(client, c.ledger.token));
  },
};

export const sequences: Step = {
  id: 'sequences',
  title: 'carry sequences and roles over',
  why: 'replication does not carry them; what changed since they were carried beforehand is left',
  risk: 'leaves gaps of at least 32 numbers',
  async run(c) {
    return c.on(c.live, (from) =>
      c.on(c.idle, async (to) => {
        const globals = await carryGlobals(from, to);
        const history = await carryHistories(from, to);
        return [
          `${await carrySequences(from, to)} had moved`,
          ...(history > 0 ? [`and ${history} rows of tools' histories`] : []),
          ...(globals > 0 ? [`and ${globals} changes of roles and settings`] : []),
        ].join(', ');
      }),
    );
  },
};

export const barrier: Step = {
  id: 'barrier',
  title: 'wait for the last write to arrive',
  why: 'a marker behind the last write, seen on the other side, proves it; no lag figure does',
  risk: 'bounded by limits.switchover',
  async run(c) {
    // Tried since the fence: what comes after the marker must not be.
    await refusals.get(c);
    return `L = ${await crossHere(c, sealNumber(c))}`;
  },
};

/** Names the operation that is open: what an earlier attempt sealed, clients may have written behind. */
function sealNumber(c: Context): number {
  return Date.parse(operation(c).startedAt);
}

function operation(c: Context): OperationRecord {
  if (!c.journal.operation) throw new Error('no operation is open in the journal');
  return c.journal.operation;
}

/**
 * The live colour died behind the fence and cannot be started any more. Its fence stands, and where the marker that was
 * written behind its last write has arrived, nothing that anybody was told is missing on the other colour: sequences
 * were carried before it.
 */
export async function stranded(c: Context): Promise<boolean> {
  if (!c.journal.operation?.steps.some(({ id }) => id === barrier.id)) return false;
  if (
    await c.platform.servers.start(c.live).then(
      () => true,
      () => false,
    )
  )
    return false;
  await c.platform.servers.start(c.idle);
  if (!(await c.on(c.idle, (client) => isSealed(client, stream(c).name, sealNumber(c))))) return false;
  await advanceReverse.run(c);
  return true;
}

/** From here `live` is the colour that was the candidate. */
export const open: Step = {
  id: 'open',
  title: 'open the new live colour',
  why: 'the applications’ roles may log in there from now on',
  risk: 'none: the old one is closed, and the journal says which is live',
  run: (c) =>
    c.on(c.live, async (client) => {
      await dropStandIns(client);
      await unfence(client, c.ledger.token);
    }),
};

export const route: Step = {
  id: 'route',
  title: 'point the clients’ path to the new live colour',
  why: 'all writes at once, never by weight',
  risk: 'none: clients are still held',
  limit: () => pathLimit + ownLimit,
  async run(c) {
    let last = '';
    await waitFor(
      () =>
        c.platform.traffic.route(c.ledger.token, c.live, 0).then(
          () => true as const,
          (error: unknown) => {
            // Behind the commit point there is no way but forward; somebody with a newer lease goes it.
            if (error instanceof VerdigrisError && error.code === 'busy') throw error;
            last = String(error);
            return undefined;
          },
        ),
      {
        limit: pathLimit,
        signal: c.signal,
        every: 20,
        slowest: 1_000,
        what: `the clients’ path pointed to ${c.live}`,
        next: 'fix what refuses it; the same command goes on from here, clients are held meanwhile.',
      },
      () => last,
    );
  },
};

export const probe: Step = {
  id: 'probe',
  title: 'ask through the clients’ path who answers',
  why: 'a route that is written is not yet a route that works; the system identifier is the same on both, so the colour is asked for',
  risk: 'clients wait until the answer is right',
  limit: () => pathLimit + ownLimit,
  async run(c) {
    let last = 'no answer';
    await waitFor(
      async () => {
        const answer = await c.platform.traffic.probe().catch((error: unknown) => {
          last = String(error);
          return undefined;
        });
        if (!answer) return undefined;
        last = `${answer.colour} answers${answer.writable ? '' : ', read-only'}`;
        return answer.colour === c.live && answer.writable ? true : undefined;
      },
      {
        limit: pathLimit,
        signal: c.signal,
        every: 5,
        slowest: 25,
        what: `${c.live}, writable, through the clients’ path`,
        next: 'fix the path; the same command goes on from here, clients are held meanwhile.',
      },
      () => last,
    );
  },
};

export const resume: Step = {
  id: 'resume',
  title: 'let the clients go on',
  why: 'everything that a waiting client does not need comes later',
  risk: 'none',
  async run(c) {
    c.stopRenewing();
    await c.platform.traffic.resume(c.ledger.token);
    const pauseMs = pause(c);
    if (pauseMs !== undefined) await note(c, { pauseMs, switchedAt: new Date().toISOString() });
    return pauseMs === undefined ? undefined : `clients were held for ${pauseMs} ms`;
  },
};

/** From the moment that clients were asked to wait until they were let go, in ms, across a crash in between. */
function pause(c: Context): number | undefined {
  const began = c.journal.timeline.findLast((span) => span.step === 'hold' && span.outcome === 'done');
  return began && Date.now() - Date.parse(began.startedAt);
}

const beforeHold = [look, tryOut, settle];
const toCommitPoint = [hold, fence, seal, sequences, barrier, advanceReverse];
const toResume = [open, route, probe, resume];

/** The steps that hold clients, and those on either side of them. */
export const startSteps: readonly Step[] = [prepareReverse, carry, ...beforeHold, ...whileHeld(...toCommitPoint)];
export const completeSteps: readonly Step[] = [...whileHeld(...toResume), closeStream, reverse];

/** The same with what migrations held back, in a release's own direction. */
export const startWithData: readonly Step[] = [
  prepareReverse,
  carry,
  tryDataAgain,
  ...beforeHold,
  ...whileHeld(...toCommitPoint, runData),
];
export const completeWithData: readonly Step[] = [...whileHeld(commitData, ...toResume), closeStream, reverse];

function whileHeld(...steps: readonly Step[]): Step[] {
  return steps.map((step) => ({ ...step, held: true }));
}

async function crossHere(c: Context, mark?: number): Promise<string> {
  const { from } = stream(c);
  if (from !== c.live)
    throw new VerdigrisError('wrong-direction', {
      seen: `Replication runs from ${from}, which is not live.`,
      required: 'replication from the live colour.',
      next: 'see `verdigris status`.',
    });
  return cross(c, c.environment.limits.switchover, mark);
}
