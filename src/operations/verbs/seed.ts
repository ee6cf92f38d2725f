import { other } from '../../model/colours.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, inEach } from '../engine/each.ts';
import type { Operation } from '../engine/operation.ts';
import { requireDatabases } from '../gates/databases.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { align, promote, unpark } from './seed/candidate.ts';
import { position, restore, snapshot, tidy } from './seed/copy.ts';
import { open, publication, slot } from './seed/origin.ts';
import { catchUp, enable, subscription } from './seed/replication.ts';
import { upgrade, upgradeFindings } from './seed/upgrade.ts';

export const seed: Operation = {
  verb: 'seed',
  clientsWait: () => 0,
  async validate(c) {
    await requireDatabases(c);
    return [
      ...declaredCandidate(c),
      ...(await upgradeFindings(c)),
      ...(await findingsInEach(c, (inside) => preflightFindings(inside, 'seed'))),
    ];
  },
  start: [
    open,
    inEach(publication),
    inEach(slot),
    snapshot,
    restore,
    position,
    promote,
    inEach(align),
    upgrade,
    unpark,
    inEach(subscription),
    inEach(enable),
    inEach(catchUp),
  ],
  complete: [tidy],
};

/** What the declaration must say before a candidate can be made. */
export function declaredCandidate(c: Context): Finding[] {
  const candidate = c.environment.colours[other(c.live)];
  const reason = 'A release is from one declared colour to the other.';
  if (!candidate)
    return [
      finding('no-candidate-declared', {
        title: `colours.${c.idle} is not declared`,
        objects: [],
        reason,
        fix: `Declare colours.${c.idle} with the release to come.`,
      }),
    ];
  if (candidate.release === c.journal.liveRelease)
    return [
      finding('same-release', {
        title: `${c.idle} declares release ${candidate.release}, which is live already`,
        objects: [],
        reason,
        fix: `Give colours.${c.idle}.release the name of the release to come.`,
      }),
    ];
  return [];
}
