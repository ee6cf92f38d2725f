import { refuses, type Finding } from '../../model/finding.ts';
import { backfillFindings } from '../gates/backfill-gate.ts';
import { bornFindings } from '../gates/beside.ts';
import { recall } from './canary.ts';
import { dataRan } from './data-statements/steps.ts';
import { testFindings } from '../gates/compatibility.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, oneByOne } from '../engine/each.ts';
import type { Operation } from '../engine/operation.ts';
import { folderFindings } from '../gates/folders.ts';
import { wayBackNow } from '../gates/expand-contract.ts';
import { untriedFindings } from '../gates/at-switchover.ts';
import { otherRowsFindings } from '../gates/rewritten.ts';
import { retainedFindings } from '../gates/put-back.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { proofFindings, writtenFindings } from '../gates/proof.ts';
import { rolesExchanged } from './reverse-stream.ts';
import { rest } from './rest.ts';
import { replicationFindings } from '../gates/replication-findings.ts';
import { warm } from './warm.ts';
import { completeWithData, startWithData } from './switchover.ts';
import { fallback } from './switchover/fallback.ts';
import { stranded } from './switchover/barrier.ts';

/** Gates of every switchover, either way. */
export async function switchoverFindings(c: Context): Promise<Finding[]> {
  const findings = await replicationFindings(c, { lagLimit: c.environment.limits.lag });
  if (refuses(findings)) return findings;
  const back =
    c.journal.state === 'switched'
      ? [...(await otherRowsFindings(c, 'the switchover')), ...(await retainedFindings(c))]
      : [];
  return [...findings, ...back, ...(await preflightFindings(c, 'switch')), ...(await bornFindings(c))];
}

export const switchOver: Operation = {
  verb: 'switch',
  ready: async (c) => void (await oneByOne(c, warm)),
  clientsWait: (limits) => limits.switchover,
  keep: (c) => [c.live, c.idle],
  limit: { from: 'hold', ms: (c) => c.environment.limits.switchover },
  validate: (c) => findingsInEach(c, forwardFindings),
  start: [recall, fallback, ...startWithData],
  stranded,
  commit: (journal, c) => ({
    ...journal,
    ...rolesExchanged(c),
    release: journal.release && { ...journal.release, ...dataRan(c) },
    liveRelease: journal.release?.to ?? journal.liveRelease,
  }),
  complete: [...completeWithData, rest],
};

/** Gates of a release's own switchover, in one database. */
async function forwardFindings(c: Context): Promise<Finding[]> {
  const gates = await switchoverFindings(c);
  // The proof is asked of both servers: one that is down has been named.
  if (refuses(gates)) return gates;
  const findings = [
    ...gates,
    ...(await folderFindings(c)),
    ...testFindings(c),
    ...untriedFindings(c),
    ...(await proofFindings(c)),
    ...(await writtenFindings(c)),
    ...(await wayBackNow(c)),
  ];
  return refuses(findings) ? findings : [...findings, ...(await backfillFindings(c, 'refuse', true))];
}
