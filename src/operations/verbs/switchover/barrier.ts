import { VerdigrisError } from '../../../model/errors.ts';
import { isSealed } from '../../../postgres/barrier.ts';
import { requireFenced } from '../../../postgres/fence.ts';
import { describeSchemaDifference } from '../../../postgres/fingerprint/index.ts';
import { requireFencedTables } from '../../../postgres/part/fence.ts';
import type { Context } from '../../engine/context.ts';
import { cross } from '../../engine/cross.ts';
import { oneByOne, sideBySide } from '../../engine/each.ts';
import type { Step } from '../../engine/operation.ts';
import { restOf } from '../../gates/at-switchover.ts';
import { driftOf } from '../../gates/schema.ts';
import { inFenced } from '../../engine/fenced.ts';
import { tablesAt } from '../../engine/part.ts';
import { operation, stream } from '../../engine/release-record.ts';
import { advanceReverse } from '../reverse-stream.ts';
import { refusing } from './fence.ts';

/** A barrier before the hold: what is on its way is waited for while clients still work. */
export const settle: Step = {
  id: 'settle',
  title: 'let replication catch up',
  why: 'the barrier under the fence then has next to nothing to wait for',
  risk: 'none',
  async run(c) {
    await c.platform.traffic.prepare?.(c.ledger.token);
    await sideBySide(c, (inside) => crossHere(inside));
  },
};

export const barrier: Step = {
  id: 'barrier',
  title: 'wait for the last write to arrive',
  why: 'a marker behind the last write, seen on the other side, proves it; no lag figure does',
  risk: 'bounded by limits.switchover',
  async run(c) {
    // Tried since the fence: what comes after the marker must not be.
    await refusing(c);
    const positions = await sideBySide(c, (inside) => crossHere(inside, sealNumber(c)));
    const tables = tablesAt(c, c.live);
    await inFenced(c, c.live, (client) =>
      tables === undefined ? requireFenced(client, c.environment.fence.accept) : requireFencedTables(client, tables),
    );
    return `L = ${positions.join(' and ')}`;
  },
};

/** Names the operation that is open: what an earlier attempt sealed, clients may have written behind. */
function sealNumber(c: Context): number {
  return Date.parse(operation(c).startedAt);
}

/**
 * The live colour died behind the fence and cannot be started any more. Its fence stands, and where the marker that was
 * written behind its last write has arrived, nothing that anybody was told is missing on the other colour: sequences
 * were carried before it.
 */
export async function stranded(c: Context): Promise<boolean> {
  // How far a tool came is not known, and behind the commit point it would run no more.
  if (c.journal.operation?.verb === 'switch' && restOf(c)) return false;
  if (!c.journal.operation?.steps.some(({ id }) => id === barrier.id)) return false;
  if (
    await c.platform.servers.start(c.live).then(
      () => true,
      () => false,
    )
  )
    return false;
  await c.platform.servers.start(c.idle);
  const arrived = await oneByOne(c, (inside) =>
    inside.on(inside.idle, (client) => isSealed(client, stream(inside).name, sealNumber(c))),
  );
  if (arrived.includes(false)) return false;
  await oneByOne(c, (inside) => Promise.resolve(advanceReverse.run(inside)));
  return true;
}

async function crossHere(c: Context, mark?: number): Promise<string> {
  const { from } = stream(c);
  if (from !== c.live)
    throw new VerdigrisError('wrong-direction', {
      seen: `Replication runs from ${from}, which is not live.`,
      required: 'replication from the live colour.',
      next: 'see `verdigris status`.',
    });
  return cross(c, c.environment.limits.switchover, mark).catch(async (error: unknown) => {
    throw await explained(c, error);
  });
}

/**
 * Why nothing is applied stands in a log that may be out of reach. What replication does not carry, and was changed since,
 * is seen in the catalogue.
 */
async function explained(c: Context, error: unknown): Promise<unknown> {
  if (!(error instanceof VerdigrisError) || !['apply-failed', 'timed-out'].includes(error.id)) return error;
  const changed = (await driftOf(c, c.live).catch(() => [])).map(describeSchemaDifference);
  if (changed.length === 0) return error;
  const { id, required, next, facts } = error;
  const seen = `${error.seen} The schema of ${c.live} changed meanwhile: ${changed.join('; ')}.`;
  return new VerdigrisError(id, { seen, required, next, facts: { ...facts, changed }, cause: error });
}
