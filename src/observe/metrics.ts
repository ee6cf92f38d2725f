import { Gauge, Registry } from 'prom-client';
import { colours } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { states } from '../model/transitions.ts';
import type { Status } from '../operations/reads/status.ts';
import type { DrillOutcome } from '../platform/port.ts';

/** What can be measured of an environment. A value that is not known now has no sample: absence is not zero. */
export const metrics = {
  verdigris_observed: { help: '1 where the journal could be read just now', labels: [] },
  verdigris_state: { help: '1 for the state that the release is in, 0 for the others', labels: ['state'] },
  verdigris_live: { help: '1 for the colour that takes writes by the journal, 0 for the other', labels: ['colour'] },
  verdigris_declared_live: {
    help: '1 for the colour that the declaration says is live, 0 for the other',
    labels: ['colour'],
  },
  verdigris_routed: {
    help: '1 for the colour that the clients’ path leads writes to, 0 for the other',
    labels: ['colour'],
  },
  verdigris_colour_up: {
    help: '1 where a colour’s server runs and answers; none where the colour does not exist',
    labels: ['colour', 'role'],
  },
  verdigris_database_bytes: { help: 'size of the database', labels: ['colour'] },
  verdigris_path_up: { help: '1 where the clients’ path (router or poolers) runs', labels: [] },
  verdigris_operation_age_seconds: {
    help: 'how long the operation under way has lasted; 0 where there is none',
    labels: ['verb'],
  },
  verdigris_operator: { help: '1 while somebody holds the lease', labels: [] },
  verdigris_hold_age_seconds: { help: 'how long clients have been held; 0 where they are not', labels: [] },
  verdigris_canary_percent: { help: 'share of the reads that goes to the other colour', labels: [] },
  verdigris_replication_applying: { help: '1 where the other colour applies changes', labels: ['from', 'to'] },
  verdigris_replication_lag_bytes: { help: 'WAL that the other colour has not confirmed', labels: ['from', 'to'] },
  verdigris_replication_lag_seconds: {
    help: 'age of the oldest change that is not confirmed, as the sender measures it',
    labels: ['from', 'to'],
  },
  verdigris_slot_healthy: { help: '0 where the slot is missing or was invalidated', labels: ['from', 'to'] },
  verdigris_slot_retained_wal_bytes: {
    help: 'WAL that the slot keeps on the publisher’s disk',
    labels: ['from', 'to'],
  },
  verdigris_retained_wal_limit_bytes: { help: 'limits.retainedWal: beyond it a slot is given up', labels: [] },
  verdigris_lossless_rollback_possible: {
    help: '1 where a rollback would lose nothing; only while there is something to go back to',
    labels: [],
  },
  verdigris_last_write_pause_seconds: { help: 'how long clients were held at the last switchover', labels: [] },
  verdigris_drill_success: { help: '1 where the last drill held', labels: [] },
  verdigris_drill_end_timestamp_seconds: { help: 'when the last drill ended, in seconds since 1970', labels: [] },
  verdigris_drill_duration_seconds: { help: 'how long the last drill took', labels: [] },
} as const;

export type MetricName = keyof typeof metrics;
type Labels = Readonly<Record<string, string>>;

/** Everything that is known of an environment, as a registry of its own: each look starts from nothing. `status` undefined: it could not be read. */
export function measure(
  environment: Environment,
  status: Status | undefined,
  drill: DrillOutcome | undefined,
  now = Date.now(),
): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ environment: environment.name });
  const gauges = new Map<MetricName, Gauge<string>>();
  // A gauge without labels is born with a zero: it is not made before there is a value.
  const set = (name: MetricName, value: number | boolean | undefined, labels: Labels = {}): void => {
    if (value === undefined) return;
    const gauge =
      gauges.get(name) ??
      new Gauge<string>({
        name,
        help: metrics[name].help,
        labelNames: [...metrics[name].labels],
        registers: [registry],
      });
    gauges.set(name, gauge);
    gauge.set(labels, Number(value));
  };
  set('verdigris_observed', status !== undefined);
  set('verdigris_retained_wal_limit_bytes', environment.limits.retainedWal);
  if (status) measureStatus(status, set, now);
  set('verdigris_drill_success', drill?.ok);
  set('verdigris_drill_end_timestamp_seconds', drill && Date.parse(drill.startedAt) / 1000 + drill.seconds);
  set('verdigris_drill_duration_seconds', drill?.seconds);
  return registry;
}

function measureStatus(
  status: Status,
  set: (name: MetricName, value: number | boolean | undefined, labels?: Labels) => void,
  now: number,
): void {
  const { replication, traffic, operation } = status;
  const age = (since: string): number => Math.max(0, (now - Date.parse(since)) / 1000);
  for (const state of states) set('verdigris_state', status.state === state, { state });
  for (const colour of colours) {
    set('verdigris_live', status.live === colour, { colour });
    set('verdigris_declared_live', status.declaredLive === colour, { colour });
    if (traffic.live !== undefined) set('verdigris_routed', traffic.live === colour, { colour });
  }
  for (const { colour, role, running, error, bytes } of status.colours) {
    if (role === 'absent') continue;
    set('verdigris_colour_up', running && error === undefined, { colour, role });
    set('verdigris_database_bytes', bytes, { colour });
  }
  set('verdigris_path_up', traffic.running);
  set('verdigris_operation_age_seconds', operation ? age(operation.since) : 0, { verb: operation?.verb ?? '' });
  set('verdigris_operator', status.operator !== undefined);
  // A hold of which nobody says since when is at least there.
  set('verdigris_hold_age_seconds', traffic.held ? age(traffic.held.since) || 1 : 0);
  set('verdigris_canary_percent', traffic.canary);
  set('verdigris_lossless_rollback_possible', status.losslessRollback);
  set('verdigris_last_write_pause_seconds', status.lastPauseMs === undefined ? undefined : status.lastPauseMs / 1000);
  if (!replication) return;
  const labels = { from: replication.from, to: replication.to };
  set('verdigris_replication_applying', replication.applying, labels);
  set('verdigris_replication_lag_bytes', replication.lagBytes, labels);
  set('verdigris_replication_lag_seconds', replication.lagSeconds, labels);
  if (replication.slot !== 'unknown')
    set('verdigris_slot_healthy', replication.slot !== 'missing' && replication.slot !== 'lost', labels);
  set('verdigris_slot_retained_wal_bytes', replication.retainedBytes, labels);
}
