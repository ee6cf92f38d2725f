import { refusals, type Finding } from '../../model/finding.ts';
import { chooseEngine } from '../../migrations/engines/choose.ts';
import type { Context } from '../engine/context.ts';
import { partOf } from '../engine/part.ts';
import { backward, judgeChanges, withStatements } from './expand-contract.ts';

/**
 * What `migrate` would refuse after the seed, which can take hours: of the files that are pending, as far as their text
 * and the live colour's catalogue tell for certain. The same judgement by the same notes; what code decides when it
 * runs is left to `migrate`.
 */
export async function foreseenFindings(c: Context): Promise<Finding[]> {
  const candidate = c.environment.colours[c.idle];
  const { migrations } = candidate ?? {};
  if (!candidate || migrations === undefined || partOf(c)) return [];
  const seen = await c.look(c.live, async (live) =>
    (await chooseEngine(migrations, candidate.engine, live)).foresee?.(live),
  );
  if (!seen) return [];
  const { changes, forward, reverse } = seen;
  const stage = { from: c.journal.liveRelease, to: candidate.release };
  const judged = await judgeChanges(c, await withStatements(c, changes), stage, []);
  return refusals([...judged, ...forward, ...backward(reverse)]);
}
