import { setTimeout as delay } from 'node:timers/promises';
import { accountOf, amountOf } from './amounts.ts';
import { colourOf } from './colour.ts';
import type { ErrorLine } from './log-lines.ts';
import type { LogWriter } from './log-writer.ts';
import type { WorkloadPlan } from './options.ts';
import { acquireAgain, type Acquire } from './session.ts';
import { serverName } from './server-name.ts';
import { styleOf } from './style.ts';
import type { Tally } from './tally.ts';
import { outcomeUnknown, transact, type CommitProgress } from './transact.ts';

export interface ClientParts {
  readonly plan: WorkloadPlan;
  readonly log: LogWriter;
  readonly tally: Tally;
  readonly stop: AbortSignal;
}

/**
 * Sends one unique write after the other until told to stop. A write that failed is never sent again: the next one has
 * the next number. The write under way when the signal comes is waited for.
 */
export async function runWriter(
  writer: number,
  acquire: Acquire,
  { plan, log, tally, stop }: ClientParts,
): Promise<void> {
  const style = styleOf(writer, plan.business);
  const fail = reporter('writer', writer, { log, tally });
  for await (const sequence of paced(plan.rate / plan.writers, writer / plan.writers, stop)) {
    const lease = await acquireAgain(acquire, stop, (error) => fail('connect', error, null, false));
    if (!lease) return;
    const write = {
      run: plan.run,
      writer,
      sequence,
      account: accountOf(writer, sequence, plan.writers),
      amount: amountOf(writer, sequence),
    };
    const progress: CommitProgress = { committing: false };
    log.sent(writer, sequence, Date.now());
    const start = performance.now();
    try {
      const colour = colourOf(await transact(lease.client, write, style, progress), plan.servers);
      const latency = Math.round((performance.now() - start) * 1000) / 1000;
      log.acknowledged(writer, sequence, Date.now(), latency, colour);
      tally.acknowledged(colour, latency);
      lease.release(false);
    } catch (error) {
      lease.release(true);
      fail('statement', error, sequence, outcomeUnknown(error, progress));
    }
  }
}

/** Reads the newest entries of one writer after another, through the readers' address. */
export async function runReader(
  reader: number,
  acquire: Acquire,
  { plan, log, tally, stop }: ClientParts,
): Promise<void> {
  const fail = reporter('reader', reader, { log, tally });
  for await (const turn of paced(plan.readRate / plan.readers, reader / plan.readers, stop)) {
    const lease = await acquireAgain(acquire, stop, (error) => fail('connect', error, null, false));
    if (!lease) return;
    try {
      const { rows } = await lease.client.query(
        `SELECT ${serverName} AS cluster, (SELECT count(*) FROM
          (SELECT FROM workload.entry WHERE run = $1 AND writer = $2 ORDER BY sequence DESC LIMIT 20) newest) AS seen`,
        [plan.run, 1 + (turn % plan.writers)],
      );
      tally.read(colourOf((rows[0] as { cluster: string }).cluster, plan.servers));
      lease.release(false);
    } catch (error) {
      lease.release(true);
      fail('statement', error, null, false);
    }
  }
}

/** Writes an error down as the client saw it, and counts it unless nobody was using the connection. */
export function reporter(role: ErrorLine['role'], who: number, { log, tally }: Pick<ClientParts, 'log' | 'tally'>) {
  return (phase: ErrorLine['phase'], error: unknown, sequence: number | null, unknown: boolean): void => {
    const { code = null } = error as { code?: string };
    const message = error instanceof Error ? error.message || error.name : String(error);
    log.failed({ phase, role, who, sequence, at: Date.now(), code, message, unknown });
    if (phase !== 'idle') tally.failed();
  };
}

/**
 * Turns 1, 2, 3 … at `perSecond`, the first one `phase` of a period late. Turns missed while a client was held are not
 * made up for: a burst after a pause would be no client's habit.
 */
async function* paced(perSecond: number, phase: number, stop: AbortSignal): AsyncGenerator<number> {
  const period = 1000 / perSecond;
  let due = performance.now() + period * phase;
  for (let turn = 1; ; turn++) {
    const wait = due - performance.now();
    if (wait > 0) await delay(wait, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    due = Math.max(due + period, performance.now());
    yield turn;
  }
}
