import { count } from '../../model/count.ts';
import { refusals, refuses } from '../../model/finding.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { indented } from '../../model/indented.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { withOwnSession } from '../../postgres/session.ts';
import {
  applyGlobals,
  compareGlobals,
  compareObjects,
  compareSequences,
  describeComparison,
  unmatchedSequences,
  type DataComparison,
} from '../../postgres/compare/index.ts';
import type { Client } from '../../postgres/client.ts';
import type { GlobalFinding } from '../../postgres/compare/globals-finding.ts';
import { isSuperuser } from '../../postgres/superuser.ts';
import { fenceServer, fencedRoles } from '../../postgres/fence.ts';
import { refreshMaterializedViews } from '../../postgres/materialized-views.ts';
import { tryTool } from './at-switchover/try.ts';
import { backfill } from './backfill.ts';
import { backfillFindings } from '../gates/backfill-gate.ts';
import { readBackfillStates } from '../gates/backfill-state.ts';
import { withdrawCanary } from './canary.ts';
import { keepFacts } from './kept-facts.ts';
import { carryGlobalsOf } from './switchover/carry.ts';
import { runTests } from '../gates/compatibility.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, inEach } from '../engine/each.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { note, release } from '../engine/release-record.ts';
import { scopeOf } from '../engine/scope.ts';
import { compareRows, type Budget } from '../gates/compare-rows.ts';
import { beginProof, dropProof } from '../gates/proof.ts';
import { keepRewrites } from '../gates/rewritten.ts';
import { replicationFindings } from '../gates/replication-findings.ts';

export interface VerifyOptions extends Budget {
  /** Bring roles, settings and the like on the candidate in line with the live colour before they are compared. */
  readonly applyGlobals?: boolean | undefined;
}

/** Proves that the candidate holds the live colour's data. */
export function verify(options: VerifyOptions = {}): Operation {
  return {
    verb: 'verify',
    clientsWait: () => 0,
    async validate(c) {
      return findingsInEach(c, async (inside) => {
        const findings = await replicationFindings(inside);
        return refuses(findings) ? findings : [...findings, ...(await backfillFindings(inside, 'warn', false))];
      });
    },
    start: [
      withdraw,
      inEach(backfills),
      inEach(refresh),
      inEach(objects(options)),
      tests,
      tryTool,
      inEach(data(options)),
    ],
    complete: [],
  };
}

const withdraw: Step = {
  id: 'withdraw',
  title: 'move the readers back to the live colour',
  why: 'no client may be on a candidate while it is compared again',
  risk: "readers' connections are spread again",
  async run(c) {
    if (c.journal.state === 'canary') await withdrawCanary(c);
  },
};

const backfills: Step = {
  id: 'backfills',
  title: 'find rows that backfills have missed, and fix them',
  why: 'replication does not carry what only the candidate has, so comparing rows cannot prove it',
  risk: 'reads the tables that were filled; apply waits for a batch at most',
  async run(c) {
    const filled = (await readBackfillStates(c)).backfills.filter(({ place }) => place === 'candidate');
    const names = filled.map(({ backfill }) => backfill.name);
    const reports = names.length === 0 ? [] : await backfill(c, { names, again: true });
    return reports.length === 0
      ? 'nothing was filled on the candidate'
      : reports.map(({ name, filled: fixed, seen }) => `${name}: ${fixed} of ${seen} rows fixed`).join(', ');
  },
};

const refresh: Step = {
  id: 'refresh',
  title: 'refresh materialized views on the candidate',
  why: 'replication does not carry them',
  risk: 'none for the live colour',
  async run(c) {
    await keepFacts(c, c.live, ['rows of']);
    return c.withTheirs(c.idle, async (client) => `${await refreshMaterializedViews(client)} refreshed`);
  },
};

function objects({ budget, applyGlobals: apply }: VerifyOptions): Step {
  return {
    id: 'objects',
    title: 'check indexes, constraints, sequences and globals',
    why: 'a copy of the data is not yet a copy of the database',
    risk: "reads foreign keys' tables on the candidate",
    async run(c) {
      const carried = await carryChanges(c);
      if (apply) await alignGlobals(c);
      const found = await sideFindings(c, budget);
      for (const finding of found) c.emit({ type: 'finding', gate: 'verify', finding });
      const refused = refusals(found);
      if (refused.length > 0)
        throw differs(`${refused.map(({ title }) => title).join('; ')}.`, refused.map(({ fix }) => fix).join(' '), {
          findings: refused,
        });
      const seen = found.length === 0 ? 'all as they should be' : `${found.length} to note`;
      return carried === 0 ? seen : `${count(carried, 'change')} of roles and settings carried, ${seen}`;
    },
  };
}

/** What the switchover carries is no difference; what a migration made of it stays, and is judged. */
async function carryChanges(c: Context): Promise<number> {
  return c.on(c.live, async (from) => {
    await ensureControlSchema(from);
    return c.on(c.idle, (to) => carryGlobalsOf(c, from, to));
  });
}

async function alignGlobals(c: Context): Promise<void> {
  await c.on(c.live, (live) =>
    c.on(c.idle, async (candidate) => {
      const findings = await differingGlobals(c, live, candidate);
      await applyGlobals(candidate, findings);
      // A role that was just made could log in, and write.
      if (!c.isInside || !(await isSuperuser(candidate)))
        await fenceServer(candidate, c.ledger.token, 10_000, c.environment.fence.accept);
      for (const { title } of findings) c.emit({ type: 'note', text: `brought in line: ${title}` });
    }),
  );
}

async function differingGlobals(c: Context, live: Client, candidate: Client): Promise<GlobalFinding[]> {
  const fenced = new Set(await fencedRoles(candidate));
  return compareGlobals(live, candidate, fenced, scopeOf(c), await c.platform.servers.keptRoles?.(c.live));
}

/** Everything beside the rows that is compared. */
async function sideFindings(c: Context, budget: number | undefined): Promise<Finding[]> {
  const { reader } = await c.readers(c.idle);
  return c.on(c.live, (live) =>
    c.on(c.idle, async (candidate) => [
      ...(await withOwnSession(reader, 'verify', async (client) => [
        ...(await compareObjects(client, { signal: c.signal, ...(budget === undefined ? {} : { budgetMs: budget }) })),
        ...(await unmatchedSequences(live, candidate, client)),
      ])),
      ...(await compareSequences(live, candidate)),
      ...(await differingGlobals(c, live, candidate)),
    ]),
  );
}

const tests: Step = {
  id: 'tests',
  title: "run the releases' own tests against the new schema",
  why: 'around the switchover it serves both',
  risk: 'copies the candidate for each; none for the candidate itself',
  async run(c) {
    const results = await runTests(c);
    return results.length === 0
      ? 'none are declared'
      : results.map(({ release, seconds }) => `release ${release} passed in ${Math.round(seconds)} s`).join(', ');
  },
};

function data(options: VerifyOptions): Step {
  return {
    id: 'data',
    title: 'compare every row of both colours',
    why: 'a lag of zero says that everything sent has arrived, not that the copy was right',
    risk: 'reads all data on both colours; rows that keep changing are locked for moments',
    async run(c) {
      const { proof, rewrites } = await beginProof(c);
      const result = await compareRows(c, options);
      if (result.totalBytes > 0 && result.checkedChunks === 0)
        throw differs('Nothing was compared within the budget.', 'Give a larger --budget.', {});
      if (!result.equal) throw differs(...explained(c, result), { comparison: result });
      // Where not every row was compared, the switchover compares what was rewritten since every row was.
      if (result.mode === 'complete') await keepRewrites(c, c.live, rewrites);
      await note(c, {
        verification: {
          at: new Date().toISOString(),
          mode: result.mode,
          rows: result.rowsLive,
          bytes: result.bytes,
          seconds: result.seconds,
          proof,
        },
      });
      const unchecked = result.unchecked.length > 0 ? `; not compared: ${result.unchecked.join(' ')}` : '';
      const compared = `${count(result.rowsLive, 'row')} in ${count(result.tables.length, 'table')} are equal`;
      return `${result.mode}: ${compared}, ${Math.round(result.megabytesPerSecond)} MB/s${unchecked}`;
    },
    // Without a proof nobody needs the candidate's log, which would grow.
    undo: dropProof,
  };
}

/** What differs, and what to do: where the release's own statements wrote it, nobody else did. */
function explained(c: Context, result: DataComparison): [seen: string, next: string] {
  const seen = describeComparison(result);
  const differing = new Set(
    result.tables.filter(({ differences }) => differences.length > 0).map(({ table }) => table),
  );
  const own = (release(c).data ?? []).filter(
    ({ place, writes }) => place === 'candidate' && writes.some(({ table }) => differing.has(table)),
  );
  if (own.length === 0)
    return [seen, 'Abandon the candidate and seed again; if it comes back, somebody else writes on the candidate.'];
  return [
    `${seen}\nThe release's own statements wrote these tables on the candidate, as their notes ask:\n${indented(own.map(({ source }) => source))}`,
    'Abandon the candidate, take the notes place=candidate out of these files, so that they run at the switchover, and seed again.',
  ];
}

function differs(seen: string, next: string, facts: Record<string, unknown>): VerdigrisError {
  return new VerdigrisError('data-differs', {
    seen,
    required: 'a candidate with exactly the data of the live colour.',
    next,
    facts,
  });
}
