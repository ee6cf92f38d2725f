import { VerdigrisError } from '../../../model/errors.ts';
import type { Finding } from '../../../model/finding.ts';
import { indented } from '../../../model/indented.ts';
import type { LossCount } from '../../../postgres/export-differences.ts';
import type { Context } from '../../engine/context.ts';
import { release } from '../../engine/release-record.ts';
import { losses, lostRows, notRows } from './losses.ts';

/** Without consent: says what would be lost, as of now, and stops. */
export async function consent(c: Context, given: boolean): Promise<Finding[]> {
  if (given) return [];
  const [live, idle] = await Promise.all([c.live, c.idle].map((colour) => c.platform.servers.observe(colour)));
  const running = live?.running === true && idle?.running === true;
  const counts = running ? await losses(c, 'common') : undefined;
  const alone = running ? await losses(c, 'alone') : [];
  const besides = running ? await notRows(c) : [];
  throw new VerdigrisError('consent-missing', {
    seen:
      counts === undefined
        ? uncounted(c, idle !== undefined)
        : `A rollback now would lose ${lostRows(counts)} rows:\n${indented(counts.map(lossText))}` +
          (alone.length === 0
            ? ''
            : `and ${lostRows(alone)} rows of tables that ${c.idle} does not have:\n${indented(alone.map(lossText))}`) +
          (besides.length === 0
            ? ''
            : `and what was made or changed on ${c.live} since the writes moved there, which no export holds:\n${indented(besides)}`),
    required: 'consent to that loss.',
    next: running
      ? 'run it again with --accept-loss: the rows are exported to a file first, exactly, while clients wait.'
      : 'start what can be started (`verdigris start`) and run it again: then the rows are counted, and exported. ' +
        'Where nothing can, --accept-loss goes back without.',
    facts: { losses: counts ?? null, leftBehind: alone, besides },
  });
}

/** What is not there or does not run cannot be compared. */
function uncounted(c: Context, there: boolean): string {
  if (there)
    return (
      `${c.live} or ${c.idle} is down or gone, so that what ${c.idle} lacks cannot be counted. It has what ` +
      `replication had brought it by then.`
    );
  const { fallback } = release(c);
  return fallback === undefined
    ? `${c.idle} is gone, and there is no snapshot to go back to.`
    : `${c.idle} is gone: going back to its snapshot of just before the switchover loses what was written since.`;
}

function lossText({ table, inserted, updated, deleted }: LossCount): string {
  return `${table}: ${inserted} inserted, ${updated} updated, ${deleted} deleted`;
}
