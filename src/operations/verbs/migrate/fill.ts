import { compareVersions } from '../../../migrations/engines/sql/files.ts';
import type { Context } from '../../engine/context.ts';
import { release } from '../../engine/release-record.ts';
import { readBackfillStates } from '../../gates/backfill-state.ts';
import { oneBackfill } from '../one-backfill.ts';

/** Runs what is to be filled on the candidate and is not yet; of versions below `before`, where it is given. */
export async function fill(
  c: Context,
  session: Parameters<typeof oneBackfill>[1],
  step: string,
  before?: string,
): Promise<string[]> {
  const { backfills } = await readBackfillStates(c);
  const done: string[] = [];
  for (const { backfill, place, done: complete } of backfills) {
    if (complete || place !== 'candidate' || (before !== undefined && compareVersions(backfill.version, before) >= 0))
      continue;
    const { filled, seen } = await oneBackfill(c, session, backfill, {
      release: release(c).to,
      onCandidate: true,
      again: false,
      step,
    });
    done.push(`${backfill.name}: ${filled} of ${seen} rows`);
  }
  return done;
}
