import { describe, VerdigrisError } from '../model/errors.ts';
import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { Environment } from '../model/environment.ts';
import type { Emit } from '../model/events.ts';
import type { Context } from '../operations/engine/context.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { withOperator } from '../operations/operator.ts';
import { perform } from '../operations/perform.ts';
import { withdrawCanary } from '../operations/verbs/canary.ts';
import type { Platform } from '../platform/port/platform.ts';
import { measureMetric, metricsOf } from './analysis/measure.ts';
import { decide } from './decide.ts';
import { fail } from './stopped.ts';
import { longestRetryPause, retried } from './verb-step.ts';
import type { Decision, Known } from './decision.ts';
import { digestsOf } from './target.ts';
import { kept, tallied } from './tallies.ts';
import { withMessages } from './tell.ts';

export interface DeliveryParts {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Milliseconds until what was refused is tried again for the first time; each time twice as long. */
const firstPause = 5_000;

export async function readKnown({ environment, platform }: DeliveryParts): Promise<Known> {
  return knownOf(environment, await readJournal(platform.journal), await digestsOf(environment));
}

function knownOf(environment: Environment, journal: Known['journal'], digests: Known['digests']): Known {
  const step = environment.delivery.steps[journal.delivery?.step.index ?? -1];
  return { environment, journal, digests, metrics: metricsOf(environment, step), now: Date.now() };
}

/**
 * Does what was decided, under the lease, if the journal still says so there: somebody else may have done it meanwhile,
 * or a person may have taken over.
 */
export async function act(parts: DeliveryParts, known: Known, decision: Decision): Promise<void> {
  if (decision.do === 'measure') return measureAll(parts, known, decision.names);
  const weight = decision.do === 'verb' ? decision.weight : undefined;
  const limit = decision.do === 'verb' ? decision.limit : undefined;
  const late = limit && AbortSignal.timeout(Math.min(limit.ms, 2 ** 31 - 1));
  await withOperator(
    {
      ...parts,
      environment: weight === undefined ? parts.environment : { ...parts.environment, canary: weight },
      signal: late ? AbortSignal.any([parts.signal, late]) : parts.signal,
      walks: true,
    },
    'release',
    async (c) => {
      const again = decide(knownOf(parts.environment, c.journal, known.digests));
      if (again.do !== decision.do) return;
      if (again.do === 'write') await write(c, again.record, again.note);
      if (again.do === 'wait')
        await c.ledger.write((journal) => withMessages(c, waiting(journal, again.why), journal.delivery));
      if (again.do === 'withdraw') await withdrawCanary(c);
      if (again.do === 'verb' && decision.do === 'verb' && again.verb === decision.verb && again.weight === weight)
        await perform(c, again.verb).catch(async (error: unknown) => {
          if (parts.signal.aborted || (error instanceof VerdigrisError && error.code === 'busy')) throw error;
          await refused(c, late?.aborted && limit ? limit.why : describe(error));
        });
    },
  );
}

async function write(c: Context, record: DeliveryRecord, text: string): Promise<void> {
  const delivery = { ...record, verdicts: kept(record.verdicts) };
  await c.ledger.write((journal) => withMessages(c, { ...journal, delivery }, journal.delivery));
  c.emit({ type: 'note', text });
}

function waiting(journal: Context['journal'], why: string): Context['journal'] {
  return journal.delivery ? { ...journal, delivery: { ...journal.delivery, waits: why } } : journal;
}

/**
 * A verb that was refused or failed has left everything as it was: what may pass is tried again, the rest ends the
 * step.
 */
async function refused(c: Context, why: string): Promise<void> {
  const record = c.journal.delivery;
  const step = c.environment.delivery.steps[record?.step.index ?? -1];
  if (!record || !step) return;
  const now = Date.now();
  const [seen = why] = why.split('\n');
  if (!record.stopped && !retried.some((verb) => verb === step.kind))
    return write(c, fail(record, step, seen, now), `"${step.text}" failed: ${why}`);
  const failures = record.step.failures + 1;
  const wait = Math.min(firstPause * 2 ** (failures - 1), longestRetryPause);
  await write(
    c,
    {
      ...record,
      step: {
        ...record.step,
        failures,
        failingSince: record.step.failingSince ?? new Date(now).toISOString(),
        error: seen,
        again: new Date(now + wait).toISOString(),
      },
      ...(record.stopped ? { stopped: { ...record.stopped, attempts: record.stopped.attempts + 1 } } : {}),
    },
    `tried again in ${wait / 1000} s: ${why}`,
  );
}

/** Measures without the lease, which others may need meanwhile, and writes down what still belongs to the same step. */
async function measureAll(parts: DeliveryParts, known: Known, names: readonly string[]): Promise<void> {
  const { journal, metrics } = known;
  const record = journal.delivery;
  if (!record) return;
  const results: Record<string, Awaited<ReturnType<typeof measureMetric>>> = {};
  for (const name of names) {
    const metric = metrics[name];
    if (!metric) continue;
    const result = await measureMetric(metric, { ...parts, journal, record }, parts.signal);
    results[name] = metric.dryRun ? { ...result, seen: `dry run: ${result.seen}` } : result;
  }
  await withOperator({ ...parts, walks: true }, 'release', async (c) => {
    const now = c.journal.delivery;
    if (now?.step.index !== record.step.index || now.step.since !== record.step.since) return;
    // Two controllers measure at once: what the other one wrote down meanwhile is not due again.
    const again = decide(knownOf(parts.environment, c.journal, known.digests));
    if (again.do !== 'measure') return;
    const wanted = Object.entries(results).filter(([name]) => again.names.includes(name));
    const at = new Date().toISOString();
    const tallies = Object.fromEntries(wanted.map(([name, result]) => [name, tallied(now.tallies[name], result, at)]));
    await c.ledger.write((was) => ({ ...was, delivery: { ...now, tallies: { ...now.tallies, ...tallies } } }));
    for (const [name, { verdict, seen }] of wanted) c.emit({ type: 'note', text: `${name}: ${verdict}: ${seen}` });
  });
}
