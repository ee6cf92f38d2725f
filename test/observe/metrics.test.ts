import { expect, test } from 'vitest';
import { metrics, type MetricName } from '../../src/metrics/metrics.ts';
import { measure } from '../../src/observe/metrics.ts';
import { declared } from '../pulumi/components/support.ts';
import { status } from './support.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
const drilled = {
  ok: false,
  startedAt: '2026-01-01T00:00:00.000Z',
  seconds: 30,
  proved: ['seed'],
  pauseMs: [],
} as const;

async function samples(...args: Parameters<typeof measure>): Promise<Record<string, number>> {
  const text = await measure(...args).metrics();
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [, name = '', value = ''] = /^(.+) (\S+)$/.exec(line) ?? [];
        return [name.replace(/,?environment="shop"/, '').replace('{}', ''), Number(value)];
      }),
  );
}

test('a status is told in numbers, seconds and bytes, one sample each', async () => {
  const held = {
    address: 'a',
    running: true,
    live: 'blue' as const,
    canary: 10,
    held: { since: '2026-01-01T00:00:50.000Z', token: 3 },
  };
  const operation = { verb: 'rollback', phase: 'start' as const, since: '2026-01-01T00:00:45.000Z' };
  expect(await samples(declared(), status({ traffic: held, operation }), drilled, now)).toMatchObject({
    verdigris_observed: 1,
    'verdigris_state{state="switched"}': 1,
    'verdigris_state{state="single"}': 0,
    'verdigris_live{colour="green"}': 1,
    'verdigris_live{colour="blue"}': 0,
    'verdigris_routed{colour="green"}': 0,
    'verdigris_routed{colour="blue"}': 1,
    'verdigris_colour_up{colour="green",role="live"}': 1,
    'verdigris_colour_up{colour="blue",role="retained"}': 1,
    'verdigris_database_bytes{colour="blue"}': 1_000,
    verdigris_hold_age_seconds: 10,
    'verdigris_operation_age_seconds{verb="rollback"}': 15,
    verdigris_operator: 0,
    verdigris_canary_percent: 10,
    'verdigris_credential_age_seconds{role="shop_app"}': 86_400,
    'verdigris_replication_lag_bytes{from="green",to="blue"}': 512,
    'verdigris_replication_lag_seconds{from="green",to="blue"}': 0.5,
    'verdigris_slot_healthy{from="green",to="blue"}': 1,
    'verdigris_slot_retained_wal_bytes{from="green",to="blue"}': 4_096,
    verdigris_retained_wal_limit_bytes: 4 * 1024 ** 3,
    verdigris_lossless_rollback_possible: 1,
    verdigris_last_write_pause_seconds: 0.126,
    verdigris_drill_success: 0,
    verdigris_drill_duration_seconds: 30,
    verdigris_drill_end_timestamp_seconds: Date.parse('2026-01-01T00:00:30Z') / 1000,
  });
});

test('what is not known has no sample: absence is not zero', async () => {
  const alone = await samples(
    declared(),
    status({
      state: 'single',
      replication: undefined,
      losslessRollback: undefined,
      pauseMs: undefined,
      traffic: { address: 'a', running: false },
    }),
    undefined,
    now,
  );
  for (const name of [
    'verdigris_lossless_rollback_possible',
    'verdigris_last_write_pause_seconds',
    'verdigris_drill_success',
    'verdigris_canary_percent',
  ])
    expect(alone).not.toHaveProperty([name]);
  expect(Object.keys(alone).filter((name) => /replication|slot|routed/.test(name))).toEqual([]);
  expect(alone).toMatchObject({ verdigris_path_up: 0, verdigris_hold_age_seconds: 0 });
  // A slot that nobody could ask about is not a lost one.
  const unknown = await samples(
    declared(),
    status({ replication: { from: 'green', to: 'blue', name: 's', slot: 'unknown', applying: false } }),
    undefined,
    now,
  );
  expect(Object.keys(unknown).filter((name) => name.startsWith('verdigris_slot'))).toEqual([]);
  expect(await samples(declared(), undefined, undefined, now)).toEqual({
    verdigris_observed: 0,
    verdigris_retained_wal_limit_bytes: 4 * 1024 ** 3,
  });
});

const walked = {
  from: '1',
  to: '2',
  candidate: 'green' as const,
  digest: 'd',
  startedAt: '2026-01-01T00:00:00.000Z',
  step: { index: 0, text: 'seed', since: '2026-01-01T00:00:00.000Z', failures: 0 },
  tallies: {},
  verdicts: [],
  approvals: [],
};

test('a release that walks by itself is told by its phase, and one that ended by when and how', async () => {
  const at = '2026-01-01T00:00:30.000Z';
  const stopped = { at, step: 'analysis', follow: 'wait' as const, why: 'latency', attempts: 0 };
  expect(await samples(declared(), status({ delivery: { ...walked, stopped } }), undefined, now)).toMatchObject({
    'verdigris_delivery{phase="stopped"}': 1,
    'verdigris_delivery{phase="walking"}': 0,
  });
  const delivery = { ...walked, stopped, ended: { at, outcome: 'rolled back' as const } };
  expect(await samples(declared(), status({ delivery }), undefined, now)).toMatchObject({
    'verdigris_delivery{phase="ended"}': 1,
    'verdigris_delivery_end_timestamp_seconds{outcome="rolled back"}': Date.parse(at) / 1000,
  });
});

test('every metric that is declared is told by some environment', async () => {
  const verified = status({
    delivery: { ...walked, ended: { at: '2026-01-01T00:00:00.000Z', outcome: 'released' } },
    proof: { good: true, seen: 'nothing happened since' },
    verification: { at: '2026-01-01T00:00:00.000Z', mode: 'complete', rows: 1, bytes: 1, seconds: 1 },
  });
  const all = Object.keys(await samples(declared(), verified, drilled, now)).map((name) => name.replace(/\{.*/, ''));
  expect([...new Set(all)].sort()).toEqual((Object.keys(metrics) as MetricName[]).sort());
});
