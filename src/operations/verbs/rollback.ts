import { refuses, type Finding } from '../../model/finding.ts';
import type { Release } from '../../model/journal.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach } from '../engine/each.ts';
import type { Operation } from '../engine/operation.ts';
import { keepLeftRows, leftRowsFindings, leftWhileResting } from './left-rows.ts';
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
  validate: (c) =>
    findingsInEach(c, async (inside) => ((await resting(inside)) ? asleepFindings(inside) : backFindings(inside))),
  ready: wake,
  start: startSteps,
  stranded,
  commit(journal, c) {
    const { release } = journal;
    if (!release) throw new Error('a rollback has a release');
    const { canary: _, ...rest } = unverified(release);
    const databases = Object.entries(release.databases ?? {}).map(([name, part]) => [name, unverified(part)] as const);
    return {
      ...journal,
      ...rolesExchanged(c),
      liveRelease: release.from,
      release: { ...rest, ...(release.databases ? { databases: Object.fromEntries(databases) } : {}) },
    };
  },
  complete: [...completeSteps, keepLeftRows],
};

async function asleepFindings(c: Context): Promise<Finding[]> {
  return [...(await restingFindings(c)), ...(await leftWhileResting(c))];
}

async function backFindings(c: Context): Promise<Finding[]> {
  const findings = await switchoverFindings(c);
  // Both servers are asked: one that is down has been named.
  return refuses(findings) ? findings : [...findings, ...(await leftRowsFindings(c))];
}

/** What the writes that move may make untrue. */
function unverified<T extends Pick<Release, 'verification'>>({ verification: _, ...rest }: T): Omit<T, 'verification'> {
  return rest;
}
