import prettyBytes from 'pretty-bytes';
import { VerdigrisError } from '../../../model/errors.ts';
import { indented } from '../../../model/indented.ts';
import { lsnBytes, lsnDistance } from '../../../model/lsn.ts';
import { waitFor } from '../../../model/wait.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { fenceServer } from '../../../postgres/fence.ts';
import { promoteServer } from '../../../postgres/promote.ts';
import { forkOf, replayed, slotOfStandby, standbyProblems } from '../../../postgres/standby-seed.ts';
import { markColour } from '../../../postgres/token.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';
import { noteSeed, release } from '../../engine/release-record.ts';
import { requireSteady } from '../../gates/steady.ts';
import { onCandidate } from './on-candidate.ts';
import { positionBeforeSlot } from './position-before-slot.ts';
import { connectionIn } from '../../../platform/connection-in.ts';

/** Milliseconds that closing the promoted server may take. */
const fenceLimit = 10_000;

/** Before anything is made. @throws VerdigrisError `standby-unfit` */
export async function requireStandby(c: Context): Promise<void> {
  const candidate = await connectionIn(c.platform.servers, c.idle, c.environment.database);
  const problems = await c.on(c.live, (live) =>
    withOwnSession(candidate, 'preflight', (standby) => standbyProblems(live, standby)),
  );
  if (problems.length > 0) throw unfit(c, problems);
}

export const takeStandby: Step = {
  id: 'take-standby',
  title: 'take the standby, and wait until it is past C',
  why: 'what it holds ends where it is promoted, and the slot must begin before that',
  risk: 'none for the live colour; the standby goes on following it',
  async run(c) {
    const major = c.environment.colours[c.idle]?.postgres;
    const { servers } = c.platform;
    if (major === undefined || !servers.follow) throw new Error('checked by the gates');
    await servers.follow(c.idle, { generation: c.journal.generation, major });
    await c.platform.traffic.refresh(c.ledger.token);
    const slotLsn = begins(c);
    let last = '';
    await waitFor(
      () =>
        onCandidate(c, async (standby) => {
          const position = await replayed(standby);
          last = position ?? 'promoted';
          return position === null || lsnBytes(position) >= lsnBytes(slotLsn) ? true : undefined;
        }),
      {
        limit: c.environment.limits.catchUp,
        signal: c.signal,
        every: 50,
        slowest: 500,
        what: `the standby past C = ${slotLsn}`,
        next: 'see its log, and the network to the live server; then run the same command again.',
      },
      () => last,
    );
    return `at ${last}`;
  },
  async undo(c) {
    await c.removeIdle();
  },
};

export const promoteStandby: Step = {
  id: 'promote-standby',
  title: 'promote the standby, close it, and read where its timeline begins',
  why: 'PostgreSQL writes down where it ended recovery: X, exactly, as often as it is asked',
  risk: 'none for the live colour; the standby never follows it again, and nobody can log in there but Verdigris',
  async run(c) {
    const slot = await onCandidate(c, slotOfStandby);
    const fork = await onCandidate(c, async (client) => {
      await promoteServer(client, c.signal);
      await fenceServer(client, c.ledger.token, fenceLimit, c.environment.fence.accept);
      await markColour(client, c.idle);
      return forkOf(client);
    });
    const slotLsn = begins(c);
    const { timeline } = release(c).seed;
    if (!fork || fork.from !== timeline)
      throw unfit(c, [
        fork
          ? `it left timeline ${fork.from}, and the live server is on ${String(timeline)}: it followed another server, or was promoted before.`
          : 'it has no history of timelines: it was never a standby.',
      ]);
    if (lsnBytes(fork.position) < lsnBytes(slotLsn))
      throw positionBeforeSlot('standby', fork.position, slotLsn, 'it was promoted meanwhile: make another standby');
    await requireSteady(c);
    await noteSeed(c, { position: fork.position, method: 'standby' });
    const kept = slot === null ? '' : `; the live server keeps log for its slot ${slot}: drop that there`;
    return `X = ${fork.position}, ${prettyBytes(lsnDistance(slotLsn, fork.position))} after C${kept}`;
  },
};

function begins(c: Context): string {
  const { slotLsn } = release(c).seed;
  if (slotLsn === undefined) throw new Error('the slot is made before');
  return slotLsn;
}

function unfit(c: Context, problems: readonly string[]): VerdigrisError {
  return new VerdigrisError('standby-unfit', {
    seen: `${c.idle} cannot be seeded by promoting it:\n${indented(problems)}`,
    required: 'a physical standby that streams from the live server, and that no commit waits for.',
    next: 'change what is listed, then run the same command again; the live server is as before.',
    facts: { problems },
  });
}
