import { finding, refuses, type Finding } from '../../model/finding.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { readSchema } from '../../postgres/fingerprint/index.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, inEach } from '../engine/each.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { ownerOn, withOwner } from '../engine/owner-session.ts';
import { outlivedFindings, placeFinding } from '../gates/backfill-gate.ts';
import { placeOf, readBackfillStates } from '../gates/backfill-state.ts';
import { backward, ledger, shapeFindings } from '../gates/expand-contract.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { replicationFindings } from '../gates/replication-findings.ts';
import { tryData } from './data-statements/trial.ts';
import { analyze } from './migrate/analyze.ts';
import { apply } from './migrate/apply.ts';
import { check } from './migrate/check.ts';
import { columns } from './migrate/columns.ts';
import { fill } from './migrate/fill.ts';
import { pendingNames, plannedMappings } from './to-come.ts';
import { toolRows } from './tool-rows.ts';

const backfill: Step = {
  id: 'backfill',
  title: 'run the backfills of the release',
  why: 'nobody waits for them on the candidate, and the next release may read them from its first query on',
  risk: 'apply waits for a batch at most; rows that arrive are filled on their way in',
  async run(c) {
    // Progress is in the candidate: after a kill it goes on behind the last batch.
    await c.on(c.idle, ensureControlSchema);
    const owner = await ownerOn(c, c.idle);
    const done = await c.keeping([c.live], () =>
      withOwner(c, c.idle, owner, (client, operator) => fill(c, { client, operator, owner }, 'backfill'), {
        quietly: true,
      }),
    );
    return done.length === 0 ? 'nothing was to be filled' : done.join(', ');
  },
};

/** Gates of the migrations of one database. */
async function migrateFindings(c: Context): Promise<Finding[]> {
  const replication = await replicationFindings(c);
  if (refuses(replication)) return replication;
  const findings = [...replication, ...(await preflightFindings(c, 'migrate'))];
  if (refuses(findings)) return findings;
  const { forward, reverse, tables, schema, unknown } = await plannedMappings(c, (text) =>
    c.emit({ type: 'note', text }),
  );
  if (unknown !== undefined) {
    findings.push(
      finding('migration-effect-unknown', {
        objects: [],
        reason:
          `${unknown} The catalogue is compared after the run; where a column is gone that the live colour still ` +
          'sends, the candidate has to be abandoned.',
      }),
    );
  }
  findings.push(
    ...(await shapeFindings(
      c,
      { before: await c.on(c.live, readSchema), after: schema, forward, reverse },
      await pendingNames(c),
    )),
  );
  const { backfills: declared } = await readBackfillStates(c);
  findings.push(...outlivedFindings(declared));
  for (const { backfill, done } of declared) {
    const place = placeOf(backfill, tables, forward);
    // What is complete already, the release may take away, or leave to the live colour.
    const finding =
      done || (unknown !== undefined && place === 'later') ? undefined : placeFinding(backfill, place, 'warn');
    if (finding) findings.push(finding);
  }
  return [...findings, ...forward.findings, ...backward(reverse.findings)];
}

export const migrate: Operation = {
  verb: 'migrate',
  clientsWait: () => 0,
  validate: (c) => findingsInEach(c, migrateFindings),
  start: [columns, apply, backfill, tryData, check, toolRows, ledger, analyze].map((step) => inEach(step)),
  complete: [],
};
