import type { Event } from '../../src/model/events.ts';
import type { Client } from '../../src/postgres/client.ts';
import { withClusterEnvironment } from '../e2e/support/environment.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { quantile, type BenchRow } from './measure.ts';
import { makeTables } from './tables.ts';

interface Goal {
  readonly p50: number;
  readonly max: number;
}

type Tested = Pick<TestEnvironment, 'verb' | 'clients' | 'events'>;

/**
 * Write pauses over many switchovers under load, and what they are made of. Clients' own view comes from the oracle.
 * So many tables with a sequence each are in the database besides the clients' own.
 */
export async function benchPause(switchovers: number, tables: number): Promise<BenchRow[]> {
  const settings = { fsync: 'on', shared_buffers: '128MB', max_locks_per_transaction: '1024' };
  const fill = (client: Client): Promise<void> => makeTables(client, tables);
  return withEnvironment({ settings, fill }, (test) =>
    measure({ ...test, clients: (use) => test.load(300, use) }, switchovers, {
      p50: tables >= 5_000 ? 200 : 100,
      max: 500,
    }),
  );
}

/** The same through the poolers and Services of a cluster, by KUBECONFIG. */
export async function benchClusterPause(switchovers: number): Promise<BenchRow[]> {
  return withClusterEnvironment({}, (test) => measure(test, switchovers, { p50: 500, max: 1_500 }));
}

async function measure({ verb, clients, events }: Tested, switchovers: number, goal: Goal): Promise<BenchRow[]> {
  const { verdict } = await clients(async (workload) => {
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    for (let done = 1; done < switchovers; done++) {
      await verb('rollback');
      if (++done >= switchovers) break;
      await verb('verify');
      await verb('switch');
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 50, 30_000);
    }
  });
  const pauses = verdict.pauses.map(({ ms }) => ms);
  const held = heldTimes(events);
  const [p50, p95, max] = [quantile(pauses, 0.5), quantile(pauses, 0.95), Math.max(...pauses)];
  const failed = verdict.errors.statements + verdict.errors.connects;
  return [
    {
      what: `write pause as clients saw it, ${pauses.length} switchovers and rollbacks`,
      value: `p50 ${p50} ms, p95 ${p95} ms, max ${max} ms`,
      goal: `p50 ≤ ${goal.p50} ms, max ≤ ${goal.max} ms`,
      met: p50 <= goal.p50 && max <= goal.max,
    },
    {
      what: 'clients held, as the operator measured it',
      value: `p50 ${quantile(held, 0.5)} ms, p95 ${quantile(held, 0.95)} ms, max ${Math.max(...held)} ms`,
    },
    ...stepTimes(events).map(({ step, ms }): BenchRow => ({ what: `  of it: ${step}`, value: `p50 ${ms} ms` })),
    {
      what: 'failed statements through the address',
      value: `${failed} of ${verdict.attempted}`,
      goal: '0',
      met: failed === 0,
    },
    {
      what: 'acknowledged writes found exactly once',
      value: `${verdict.foundOnce} of ${verdict.acknowledged}`,
      goal: 'all',
      met: verdict.ok,
    },
  ];
}

const inPause = [
  'hold',
  'fence',
  'seal',
  'sequences',
  'barrier',
  'advance-reverse',
  'open',
  'route',
  'probe',
  'resume',
];

function stepTimes(events: readonly Event[]): { step: string; ms: number }[] {
  return inPause.map((step) => ({
    step,
    ms: quantile(
      events.flatMap((event) =>
        event.type === 'step' && event.step === step && event.status === 'done' && event.ms !== undefined
          ? [event.ms]
          : [],
      ),
      0.5,
    ),
  }));
}

function heldTimes(events: readonly Event[]): number[] {
  return events.flatMap((event) => {
    const found =
      event.type === 'step' && event.step === 'resume' && event.status === 'done'
        ? /(\d+) ms/.exec(event.detail ?? '')
        : null;
    return found ? [Number(found[1])] : [];
  });
}
