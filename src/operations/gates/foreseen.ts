import { refusals, type Finding } from '../../model/finding.ts';
import { readBackfills } from '../../migrations/backfill/files.ts';
import type { PlannedStatement } from '../../migrations/data/plan.ts';
import { heldAsSuperuser, liveUndeclared } from '../../migrations/data/refusals.ts';
import { chooseEngine } from '../../migrations/engines/choose.ts';
import { migrationOwner } from '../../postgres/owners.ts';
import { failingFindings } from '../../migrations/foreseen/needs/finding.ts';
import type { Context } from '../engine/context.ts';
import { partOf } from '../engine/part.ts';
import { backward, judgeChanges, withStatements } from './expand-contract.ts';
import { runningAs } from './running-as.ts';

/**
 * What `migrate` would refuse after the seed, which can take hours, or fail at: of the files that are pending, as far as
 * their text and the live colour's catalogue tell for certain. The same judgement by the same notes; what code decides
 * when it runs is left to `migrate`.
 * @throws VerdigrisError of a file's fault: `backfill-invalid`, `contract-note`, `data-statement-superuser`,
 *   `live-writes-undeclared`.
 */
export async function foreseenFindings(c: Context): Promise<Finding[]> {
  const candidate = c.environment.colours[c.idle];
  const { migrations } = candidate ?? {};
  if (!candidate || migrations === undefined || partOf(c)) return [];
  await readBackfills(migrations);
  const seen = await c.look(c.live, async (live) => {
    const engine = await chooseEngine(migrations, candidate.engine, live);
    const owner = await migrationOwner(live, c.environment.roles.owner);
    requirePlaces(c, owner, (await engine.data?.(live)) ?? []);
    return engine.foresee?.(live, await runningAs(c, live, owner));
  });
  if (!seen) return [];
  const { changes, forward, reverse, failing } = seen;
  const stage = { from: c.journal.liveRelease, to: candidate.release };
  const judged = await judgeChanges(c, await withStatements(c, changes), stage, []);
  return refusals([...failingFindings(failing), ...judged, ...forward, ...backward(reverse)]);
}

/** Statements that write rows have to be allowed where they would run. */
function requirePlaces(c: Context, owner: string | undefined, planned: readonly PlannedStatement[]): void {
  for (const { place, at, superuser } of planned) {
    if (place === 'live' && c.environment.colours[c.idle]?.writesLive !== true) throw liveUndeclared(at, c);
    if (place === 'switch' && superuser && owner !== undefined) throw heldAsSuperuser(at);
  }
}
