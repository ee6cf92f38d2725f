import { other } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { DrillPart } from '../../model/drill-parts.ts';
import { isWalking } from '../../model/delivery-record.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { ident } from '../../postgres/quote.ts';
import { withOwnSession } from '../../postgres/session.ts';
import type { DrillOutcome } from '../../platform/port/drills.ts';
import type { Platform, PlatformClone } from '../../platform/port/platform.ts';
import { prepareWorkload } from '../../workload/schema.ts';
import { describeVerdict, type WorkloadVerdict } from '../../workload/verdict.ts';
import type { Emit } from '../../model/events.ts';
import { passGates } from '../engine/gates.ts';
import { requireOneDatabase } from '../gates/databases.ts';
import { requireWhole } from '../gates/part.ts';
import { commitRecorder, withClients } from './exercise.ts';
import { withOperator } from '../operator.ts';
import { perform } from '../perform.ts';
import { switchOver } from '../verbs/switch.ts';

export interface DrillReport extends DrillOutcome {
  readonly environment: string;
  readonly verdict: WorkloadVerdict;
}

interface Parts {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Writers of the synthetic workload on the clones. */
const writers = 8;

/**
 * Proves on the real environment that a release could be made now, and on a throw-away pair of clones that writes could
 * move and come back: candidate, migrations, every row compared, all gates of the switchover; then a switchover and a
 * rollback under load, judged. Leaves nothing behind but its outcome, and the live colour serves on.
 */
export async function drill(parts: Parts): Promise<{ readonly report: DrillReport; readonly where: string }> {
  const startedAt = new Date();
  const proved: DrillPart[] = [];
  const outcome = () => ({
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    proved,
  });
  await requireSingle(parts);
  try {
    const { verdict, pauseMs } = await prove(parts, proved);
    const report = { environment: parts.environment.name, ...outcome(), ok: true, pauseMs, verdict };
    return { report, ...(await parts.platform.drills.record(report)) };
  } catch (error) {
    // Its outcome is reported first; if that fails as well, nothing more can be done.
    await parts.platform.drills
      .record({
        ...outcome(),
        ok: false,
        pauseMs: [],
        error: describe(parts.signal.aborted ? parts.signal.reason : error),
      })
      .catch(() => undefined);
    throw error;
  }
}

/** A drill in the middle of a release did not fail: it did not take place. */
async function requireSingle(parts: Parts): Promise<void> {
  await withOperator(parts, 'drill', (c) => {
    requireOneDatabase(c.environment, 'a drill');
    requireWhole(c, 'a drill');
    const { state, operation, delivery } = c.journal;
    const walking = isWalking(delivery)
      ? `release ${delivery.to} runs automatically, at "${delivery.step.text}"`
      : undefined;
    if (state === 'single' && !operation && walking === undefined) return Promise.resolve();
    throw new VerdigrisError('release-under-way', {
      seen: `A release is under way: ${walking ?? `the environment is ${state}`}.`,
      required: 'no release in progress: the drill needs the other colour.',
      next: 'finish or abandon the release, then drill.',
    });
  });
}

async function prove(
  parts: Parts,
  proved: DrillPart[],
): Promise<{ verdict: WorkloadVerdict; pauseMs: readonly number[] }> {
  // A drill is no release: nobody is asked or notified, and no flag is turned.
  const { hooks: _, flagStores: __, ...environment } = withCandidate(parts.environment);
  const run = { ...parts, environment, drills: true as const };
  try {
    for (const verb of ['seed', 'migrate', 'verify'] as const) {
      await withOperator(run, verb, (c) => perform(c, verb));
      proved.push(verb);
    }
    await withOperator(run, 'drill', (c) => passGates(c, switchOver));
    proved.push('gates');
    parts.emit({ type: 'note', text: 'making a throw-away pair of clones' });
    const pair = await parts.platform.lifecycle.clone(environment, parts.signal);
    try {
      const { verdict, pauseMs } = await exercise(pair, parts);
      if (!verdict.ok)
        throw new VerdigrisError('drill-oracle', {
          seen: describeVerdict(verdict),
          required: 'every acknowledged write exactly once.',
          next: 'this is a bug in Verdigris: please report it.',
        });
      proved.push('exercise');
      return { verdict, pauseMs };
    } finally {
      await pair.destroy();
    }
  } finally {
    // An interruption must not leave a candidate behind: cleaning up has a signal of its own.
    const cleaning = { ...run, signal: new AbortController().signal };
    await withOperator(cleaning, 'abandon', (c) =>
      c.journal.state === 'single' ? Promise.resolve() : perform(c, 'abandon'),
    );
  }
}

/**
 * The declared candidate; where none is declared, one of the live release, so that a drill needs no release to be due.
 */
function withCandidate(environment: Environment): Environment {
  const live = environment.colours[environment.live];
  if (environment.colours[other(environment.live)] || !live) return environment;
  const { migrations: _, ...rest } = live;
  return {
    ...environment,
    colours: { ...environment.colours, [other(environment.live)]: { ...rest, release: `${live.release} (drill)` } },
  };
}

async function exercise(
  { environment, platform, as }: PlatformClone,
  { emit, signal }: Parts,
): Promise<{ verdict: WorkloadVerdict; pauseMs: readonly number[] }> {
  const [writer] = environment.roles.application;
  if (writer === undefined) throw new Error('a parsed declaration has an application role');
  const reader = environment.roles.readers[0] ?? writer;
  const live = await platform.servers.connection(environment.live);
  await withOwnSession({ ...live, database: environment.database }, 'drill', async (client) => {
    await prepareWorkload(client, { roles: { writer, reader }, writers });
    await client.query(`ANALYZE ${ident('workload', 'entry')}, ${ident('workload', 'account')}`);
  });
  const recorder = commitRecorder(environment.live, emit);
  const parts = { environment, platform, emit: recorder.emit, signal };
  const logFile = await platform.exportFile('drill-clients.log');
  const { verdict } = await withClients(
    environment,
    platform,
    { writer: as(writer), reader: as(reader), logFile, business: false },
    recorder.commits,
    async (workload) => {
      for (const verb of ['seed', 'migrate', 'verify', 'switch', 'rollback'] as const) {
        await withOperator(parts, verb, (c) => perform(c, verb));
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged >= acknowledged + 200, 120_000);
      }
    },
  );
  return { verdict, pauseMs: recorder.pauses };
}
