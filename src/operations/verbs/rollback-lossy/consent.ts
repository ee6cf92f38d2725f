import { VerdigrisError } from '../../../model/errors.ts';
import type { Finding } from '../../../model/finding.ts';
import { indented } from '../../../model/indented.ts';
import type { LossCount } from '../../../postgres/export-differences.ts';
import type { Context } from '../../engine/context.ts';
import { oneByOne } from '../../engine/each.ts';
import { release } from '../../engine/release-record.ts';
import { losses, lostRows, notRows } from './losses.ts';

interface Loss {
  readonly counts: readonly LossCount[];
  readonly alone: readonly LossCount[];
  readonly besides: readonly string[];
}

/** Without consent: says what would be lost, as of now, and stops. */
export async function consent(c: Context, given: boolean): Promise<Finding[]> {
  if (given) return [];
  const [live, idle] = await Promise.all([c.live, c.idle].map((colour) => c.platform.servers.observe(colour)));
  const running = live?.running === true && idle?.running === true;
  const lost = running ? await lossNow(c) : undefined;
  throw new VerdigrisError('consent-missing', {
    seen: lost === undefined ? uncounted(c, idle !== undefined) : lossSeen(c, lost),
    required: 'consent to that loss.',
    next: running
      ? 'run it again with --accept-loss: the rows are exported to a file first, exactly, while clients wait.'
      : 'start what can be started (`verdigris start`) and run it again: then the rows are counted, and exported. ' +
        'Where nothing can, --accept-loss goes back without.',
    facts: { losses: lost?.counts ?? null, leftBehind: lost?.alone ?? [], besides: lost?.besides ?? [] },
  });
}

/** Of all databases; what is of a further one begins with its name. */
async function lossNow(c: Context): Promise<Loss> {
  const each = await oneByOne(c, async (inside) => {
    const { database } = inside.environment;
    const by = (name: string): string => (inside.isInside ? `${database}: ${name}` : name);
    const named = (counts: LossCount[]) => counts.map((count) => ({ ...count, table: by(count.table) }));
    return {
      counts: named(await losses(inside, 'common')),
      alone: named(await losses(inside, 'alone')),
      besides: (await notRows(inside)).map(by),
    };
  });
  return {
    counts: each.flatMap(({ counts }) => counts),
    alone: each.flatMap(({ alone }) => alone),
    besides: each.flatMap(({ besides }) => besides),
  };
}

function lossSeen(c: Context, { counts, alone, besides }: Loss): string {
  const parts = [`A rollback now would lose ${lostRows(counts)} rows:\n${indented(counts.map(lossText))}`];
  if (alone.length > 0)
    parts.push(`and ${lostRows(alone)} rows of tables that ${c.idle} does not have:\n${indented(alone.map(lossText))}`);
  if (besides.length > 0)
    parts.push(
      `and what was made or changed on ${c.live} since the writes moved there, which no export holds:\n${indented(besides)}`,
    );
  return parts.join('');
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
