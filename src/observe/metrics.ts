import { Gauge, Registry } from 'prom-client';
import { colours } from '../model/colours.ts';
import { phaseOf, phases, type DeliveryRecord } from '../model/delivery-record.ts';
import type { Environment } from '../model/environment.ts';
import { metrics, type MetricName } from '../metrics/metrics.ts';
import { states } from '../model/transitions.ts';
import type { Status } from '../operations/reads/status-types.ts';
import type { DrillOutcome } from '../platform/port/drills.ts';

type SetGauge = (name: MetricName, value: number | boolean | undefined, labels?: Labels) => void;
type Labels = Readonly<Record<string, string>>;

/**
 * Everything that is known of an environment, as a registry of its own: each look starts from nothing. `status`
 * undefined: it could not be read.
 */
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

function measureStatus(status: Status, set: SetGauge, now: number): void {
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
  set('verdigris_path_up', traffic.running && traffic.trouble === undefined);
  set('verdigris_operation_age_seconds', operation ? age(operation.since) : 0, { verb: operation?.verb ?? '' });
  set('verdigris_operator', status.operator !== undefined);
  // A hold of which nobody says since when is at least there.
  if (traffic.held || traffic.trouble === undefined)
    set('verdigris_hold_age_seconds', traffic.held ? age(traffic.held.since ?? '') || 1 : 0);
  for (const { role, since } of status.credentials)
    set('verdigris_credential_age_seconds', since === undefined ? undefined : age(since), { role });
  set('verdigris_canary_percent', traffic.canary);
  if (status.delivery) measureDelivery(status.delivery, set);
  set('verdigris_lossless_rollback_possible', status.losslessRollback);
  set('verdigris_troubles', status.troubles.length);
  set('verdigris_proof_good', status.proof?.good);
  if (status.proof && status.verification)
    set('verdigris_proof_timestamp_seconds', Date.parse(status.verification.at) / 1000);
  set('verdigris_last_write_pause_seconds', status.pauseMs === undefined ? undefined : status.pauseMs / 1000);
  for (const { place, free, total } of status.disks ?? []) {
    set('verdigris_disk_free_bytes', free, { place });
    set('verdigris_disk_bytes', total, { place });
  }
  if (!replication) return;
  const labels = { from: replication.from, to: replication.to };
  set('verdigris_replication_applying', replication.applying, labels);
  set('verdigris_replication_lag_bytes', replication.lagBytes, labels);
  set('verdigris_replication_lag_seconds', replication.lagSeconds, labels);
  if (replication.slot !== 'unknown')
    set('verdigris_slot_healthy', replication.slot !== 'missing' && replication.slot !== 'lost', labels);
  set('verdigris_slot_retained_wal_bytes', replication.retainedBytes, labels);
}

function measureDelivery(record: DeliveryRecord, set: SetGauge): void {
  const { ended } = record;
  for (const phase of phases) set('verdigris_delivery', phaseOf(record) === phase, { phase });
  if (ended) set('verdigris_delivery_end_timestamp_seconds', Date.parse(ended.at) / 1000, { outcome: ended.outcome });
}
