import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { collidingRow, fullSide, lacksSource, lacksTarget, passes } from '../../postgres/apply-error.ts';
import { abandonIt, startOf } from './repairs.ts';
import type { ReplicationStatus, Status, Trouble } from './status-types.ts';

const leavesStream: ReadonlySet<string> = new Set(['migrate', 'verify', 'canary']);

/** What keeps one colour from following the other. */
export function replicationTroubles(
  { colours, operation, replication, losslessRollback, state, platform }: Omit<Status, 'troubles'>,
  limits: Environment['limits'],
): Trouble[] {
  const found: Trouble[] = [];
  const again =
    state === 'switched' ? '`verdigris retire`, or `verdigris rollback --lossy`' : `${abandonIt}, then seed again`;
  // An operation that makes the stream, turns it round or takes it away; what of it stays undone is said by `interrupted`.
  const changing = operation !== undefined && !leavesStream.has(operation.verb);
  if (replication) {
    const { from, to, slot, applying, marked, retainedBytes = 0 } = replication;
    // What is down or silent is said of the colour, with what repairs it.
    const silent = (which: Colour): boolean =>
      colours.some(({ colour, running, error }) => colour === which && (!running || error !== undefined));
    if (slot === 'unknown') {
      if (!silent(from))
        found.push({
          id: 'unknown-replication',
          seen: `unknown: ${from} could not be asked for its slot`,
          repair: startOf(platform),
        });
    } else if (slot === 'lost' || (slot === 'missing' && !changing))
      found.push({
        id: 'slot-lost',
        seen: `the slot on ${from} is ${slot}: ${to} can no longer follow`,
        repair: again,
      });
    else if (slot !== 'missing' && !applying && losslessRollback !== true && !changing && !silent(to))
      found.push({
        id: 'apply-stopped',
        seen: `${to} does not apply changes of ${from}${whyNot(replication)}`,
        repair: repairOfApply(replication, again),
      });
    else if (marked === false && !operation)
      found.push({
        id: 'markers-gone',
        seen: `${from} sends no markers any more, because its schema verdigris was dropped: nothing proves that ${to} has all of it`,
        repair: again,
      });
    if (slot !== 'lost' && retainedBytes > limits.retainedWal / 2)
      found.push({
        id: 'wal-retained',
        seen: `the slot keeps more than half of limits.retainedWal on ${from}`,
        repair: again,
      });
  }
  return found;
}

function whyNot({ subscription, applyError }: ReplicationStatus): string {
  if (subscription !== undefined) return `: its subscription is ${subscription}`;
  return applyError === undefined ? '' : `: ${applyError}`;
}

/** Live writes win: what is in their way on the other colour is not what a client was told. */
function repairOfApply({ from, to, name, subscription, applyError: error }: ReplicationStatus, again: string): string {
  const full = fullSide(error ?? '');
  if (full !== undefined)
    return `free space on the disk of ${full === 'sender' ? from : to}, and apply goes on by itself`;
  if (subscription === 'disabled') return `\`verdigris psql ${to} -c "ALTER SUBSCRIPTION ${name} ENABLE"\``;
  if (subscription === 'missing' || (error !== undefined && (lacksTarget(error) || lacksSource(error)))) return again;
  if (error !== undefined && passes(error))
    return `none: it is tried again every 5 s; if it stays, \`verdigris logs --colour ${to}\``;
  const statement = error === undefined ? undefined : collidingRow(error);
  const explained = '`verdigris explain apply-stopped`';
  return statement === undefined
    ? `${explained}; in doubt ${again}`
    : `\`verdigris psql ${to} -c "${statement}"\` where that row is nobody's, and apply goes on by itself (${explained})`;
}
