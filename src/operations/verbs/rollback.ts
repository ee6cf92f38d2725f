import type { Operation } from '../engine/operation.ts';
import { resting, restingFindings, wake } from './rest.ts';
import { rolesExchanged } from './reverse-stream.ts';
import { switchoverFindings } from './switch.ts';
import { completeSteps, startSteps } from './switchover.ts';
import { stranded } from './switchover/barrier.ts';

/**
 * Back to the retained colour over reverse replication. The other one stays, migrated and following, so that the
 * release can go forward again.
 */
export const rollbackLossless: Operation = {
  verb: 'rollback',
  kind: 'lossless',
  clientsWait: (limits) => limits.switchover,
  keep: (c) => [c.live, c.idle],
  limit: { from: 'hold', ms: (c) => c.environment.limits.switchover },
  validate: async (c) => ((await resting(c)) ? restingFindings(c) : switchoverFindings(c)),
  ready: wake,
  start: startSteps,
  stranded,
  commit(journal, c) {
    const { release } = journal;
    if (!release) throw new Error('a rollback has a release');
    const { verification: _, canary: __, ...rest } = release;
    return { ...journal, ...rolesExchanged(c), liveRelease: release.from, release: rest };
  },
  complete: completeSteps,
};
