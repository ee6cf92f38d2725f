import type { Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession } from '../session.ts';
import { asOwners, giveNeeds, prepared } from './as-owners.ts';
import type { SeedProgress } from './copy-rows.ts';
import { pendingStatements, runStatements, type Pending } from './ledger.ts';
import type { Stage } from './statements.ts';
import { inParallel } from './workers.ts';

export interface SchemaWork {
  readonly candidate: ConnectionSettings;
  readonly stream: string;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SeedProgress) => void;
}

/** Statements of one transaction: enough that it costs little, and few enough for its locks. */
const together = 100;

/** One after the other, as the dump has them. */
export async function makeInOrder(work: SchemaWork, operator: Client, stage: Stage, most = together): Promise<void> {
  await prepared(operator);
  await operator.query('SET synchronous_commit = off');
  for (const run of runsOf(await pendingStatements(operator, stage)))
    await asOwners(operator, work.candidate, run.owners, (inside) =>
      inside(async (session) => {
        if (session !== operator) await session.query('SET synchronous_commit = off');
        for (const { theirs, ours } of batchesOf(run.statements, most)) {
          work.signal.throwIfAborted();
          await giveNeeds(operator, theirs);
          if (theirs.length > 0) await runStatements({ session, operator }, theirs);
          if (ours.length > 0) await runStatements({ session: operator, operator }, ours);
        }
      }),
    );
}

interface Run {
  owners: readonly string[];
  readonly statements: Pending[];
}

/** As many as one login can run; the operator's among them part none. */
function runsOf(pending: readonly Pending[]): Run[] {
  const runs: Run[] = [];
  for (const statement of pending) {
    const last = runs.at(-1);
    const same = last && (statement.owners.length === 0 || last.owners.length === 0 || isSame(last, statement));
    if (!same) runs.push({ owners: statement.owners, statements: [statement] });
    else {
      last.statements.push(statement);
      if (statement.owners.length > 0) last.owners = statement.owners;
    }
  }
  return runs;
}

function isSame(a: Pick<Run, 'owners'>, b: Pick<Run, 'owners'>): boolean {
  return JSON.stringify(a.owners) === JSON.stringify(b.owners);
}

interface Batch {
  readonly theirs: Pending[];
  readonly ours: Pending[];
}

/** What is the owners' to run comes first in each: nothing of theirs needs what is the operator's behind it. */
function batchesOf(statements: readonly Pending[], most: number): Batch[] {
  const batches: Batch[] = [];
  for (const statement of statements) {
    const last = batches.at(-1);
    const isTheirs = statement.owners.length > 0;
    const full = !last || last.theirs.length + last.ours.length >= most;
    if (full || (isTheirs && last.ours.some(({ later }) => !later))) batches.push({ theirs: [], ours: [] });
    batches.at(-1)?.[isTheirs ? 'theirs' : 'ours'].push(statement);
  }
  return batches;
}

/**
 * Nobody else is at work on the candidate. Whoever notes that the seed is whole waits for the disk, and with that for
 * all of it.
 */
const building = `SET synchronous_commit = off;
  SELECT pg_catalog.set_config('maintenance_work_mem', greatest(setting::int, ${256 * 1024})::text, false)
  FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'`;

/** As many at a time as there are workers. */
export async function makeSideBySide(work: SchemaWork, stage: Stage): Promise<void> {
  await withOwnSession(work.candidate, 'seed', async (operator) => {
    await prepared(operator);
    const pending = await pendingStatements(operator, stage);
    let done = 0;
    const runs = [...Map.groupBy(pending, ({ owners }) => JSON.stringify(owners)).values()].map(asRun);
    for (const { owners, statements } of runs)
      await asOwners(operator, work.candidate, owners, async (inside) => {
        await giveNeeds(operator, statements);
        await inParallel(statements, work.workers, (next) =>
          withOwnSession(work.candidate, 'seed', (noting) =>
            inside(async (session) => {
              const runner = { operator: noting, session: session === operator ? noting : session };
              await runner.session.query(building);
              for (let statement = next(); statement !== undefined; statement = next()) {
                work.signal.throwIfAborted();
                await runStatements(runner, [statement]);
                done += 1;
                work.onProgress({ what: 'indexes', done, total: pending.length, unit: 'indexes' });
              }
            }),
          ),
        );
      });
  });
}

function asRun(statements: Pending[]): Run {
  return { owners: statements[0]?.owners ?? [], statements };
}
