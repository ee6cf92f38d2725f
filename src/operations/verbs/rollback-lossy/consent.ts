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
  const up = await Promise.all([c.live, c.idle].map((colour) => c.platform.servers.observe(colour)));
  const running = up.every((seen) => seen?.running === true);
  const counts = running ? await losses(c, 'common') : undefined;
  const alone = running ? await losses(c, 'alone') : [];
  const besides = running ? await notRows(c) : [];
  throw new VerdigrisError('consent-missing', {
    seen:
      counts === undefined
        ? `A colour is down or gone: going back to ${release(c).fallback ? 'its snapshot' : 'it'} loses what was written since.`
        : `A rollback now would lose ${lostRows(counts)} rows:\n${indented(counts.map(lossText))}` +
          (alone.length === 0
            ? ''
            : `and ${lostRows(alone)} rows of tables that ${c.idle} does not have:\n${indented(alone.map(lossText))}`) +
          (besides.length === 0
            ? ''
            : `and what was made or changed on ${c.live} since the writes moved there, which no export holds:\n${indented(besides)}`),
    required: 'consent to that loss.',
    next: 'run it again with --accept-loss: the rows are exported to a file first, exactly, while clients wait.',
    facts: { losses: counts ?? null, leftBehind: alone, besides },
  });
}

function lossText({ table, inserted, updated, deleted }: LossCount): string {
  return `${table}: ${inserted} inserted, ${updated} updated, ${deleted} deleted`;
}
