/**
 * The workload's own process. The first line of standard input is the plan; the end of standard input, SIGTERM or the
 * plan's limit stop it. It is a process apart so that the operator's event loop cannot distort what clients see. A
 * parent that is killed closes its end of the pipe by dying, so that no workload outlives whoever started it.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { describe } from '../model/errors.ts';
import { driverSettings } from '../postgres/connection.ts';
import { reporter, runReader, runWriter, type ClientParts } from './clients.ts';
import { openWorkloadLog } from './log-writer.ts';
import type { Message } from './messages.ts';
import type { WorkloadPlan } from './options.ts';
import { dedicated, pooled, type Acquire } from './session.ts';
import { styleOf } from './style.ts';
import { startTally } from './tally.ts';

/** Milliseconds between two lines of figures. */
const statsEvery = 250;
/** Milliseconds that writes under way are waited for after the order to stop. */
const grace = 5_000;

const stopping = new AbortController();
let reason = 'stopped';
const stop = (why: string): void => {
  if (!stopping.signal.aborted) reason = why;
  stopping.abort();
};
process.on('SIGTERM', () => stop('stopped'));
// Ctrl-C in a terminal reaches the whole group; the parent decides when the clients end.
process.on('SIGINT', () => undefined);
process.stdout.on('error', () => stop('stopped'));

const say = (message: Message, written: () => void = () => undefined): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`, written);
};

const input = createInterface({ input: process.stdin });
input.once('line', (line) => {
  run(JSON.parse(line) as WorkloadPlan).then(
    () => process.exit(0),
    (error: unknown) => {
      say({ type: 'failed', message: describe(error) }, () => process.exit(1));
    },
  );
});
input.once('close', () => stop('stopped'));

async function run(plan: WorkloadPlan): Promise<void> {
  await checkTables(plan);
  const tally = startTally();
  const log = openWorkloadLog(plan.logFile, {
    run: plan.run,
    startedAt: Date.now(),
    writers: plan.writers,
    readers: plan.readers,
  });
  const parts: ClientParts = { plan, log, tally, stop: stopping.signal };
  const shared = await writerPool(parts);
  const limit = setTimeout(() => stop('limit'), plan.maxDuration);
  const figures = setInterval(() => say({ type: 'interval', interval: tally.cut(Date.now()) }), statsEvery);
  say({ type: 'ready' });
  const clients = [
    ...count(plan.writers).map((writer) =>
      runWriter(writer, styleOf(writer, plan.business).pooled ? shared : own('writer', writer, parts), parts),
    ),
    ...count(plan.readers).map((reader) => runReader(reader, own('reader', reader, parts), parts)),
  ];
  if (!stopping.signal.aborted)
    await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve(), { once: true }));
  const stoppedAt = Date.now();
  await Promise.race([Promise.all(clients), delay(grace)]);
  clearTimeout(limit);
  clearInterval(figures);
  say({ type: 'interval', interval: tally.cut(Date.now()) });
  log.ended(reason, stoppedAt);
  await new Promise<void>((resolve) => say({ type: 'ended', reason }, resolve));
}

function own(role: 'writer' | 'reader', who: number, { plan, log, tally }: ClientParts): Acquire {
  const lost = reporter(role, who, { log, tally });
  return dedicated({
    settings: plan[role],
    name: `${role} ${who}`,
    answerLimit: plan.answerLimit,
    onIdleLoss: (error) => lost('idle', error, null, false),
  });
}

/** One pool for all pooled writers, with two connections more than they need at once. */
async function writerPool({ plan, log, tally }: ClientParts): Promise<Acquire> {
  const size = count(plan.writers).filter((writer) => styleOf(writer, false).pooled).length + 2;
  const lost = reporter('writer', 0, { log, tally });
  return pooled(
    {
      settings: plan.writer,
      name: 'pool',
      answerLimit: plan.answerLimit,
      onIdleLoss: (error) => lost('idle', error, null, false),
    },
    size,
  );
}

/** Fails before the first write where the tables are missing or somebody is not let in. */
async function checkTables(plan: WorkloadPlan): Promise<void> {
  for (const settings of [plan.writer, plan.reader]) {
    const client = new pg.Client({ ...(await driverSettings(settings)), connectionTimeoutMillis: plan.answerLimit });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query(
      'SELECT (SELECT count(*) FROM workload.account WHERE id <= $1)::int AS accounts, (SELECT count(*) FROM (SELECT FROM workload.entry LIMIT 1) e)',
      [plan.writers],
    );
    await client.end();
    const { accounts } = rows[0] as { accounts: number };
    if (accounts !== plan.writers)
      throw new Error(
        `workload.account has ${accounts} accounts for ${plan.writers} writers: prepareWorkload makes them`,
      );
  }
}

function count(length: number): number[] {
  return Array.from({ length }, (_, index) => index + 1);
}
