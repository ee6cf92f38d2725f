import type { MetricName } from './metrics.ts';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'critical' | 'warning' };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url?: string };
}

/** A metric's name, so that the type checker finds one that does not exist. */
const m = (name: MetricName): string => name;
/** The exporter that was asked serves the pages of its own version. */
const docs = 'http://{{ $labels.instance }}/docs';

function rule(
  alert: string,
  severity: 'critical' | 'warning',
  lasts: string,
  expr: string,
  summary: string,
  description: string,
  page: string,
): AlertRule {
  return {
    alert,
    expr,
    for: lasts,
    labels: { severity },
    annotations: { summary: `{{ $labels.environment }}: ${summary}`, description, runbook_url: `${docs}/${page}` },
  };
}

/** Of an exporter that is not there: it has no environment to name, and serves no page. */
function silence(alert: string, lasts: string, expr: string, summary: string, description: string): AlertRule {
  return { alert, expr, for: lasts, labels: { severity: 'critical' }, annotations: { summary, description } };
}

/** What somebody must be alerted to. `for` is how long it must hold, so that a switchover does not ring. */
export const alertRules: readonly AlertRule[] = [
  rule(
    'VerdigrisClientsHeld',
    'critical',
    '0s',
    `${m('verdigris_hold_age_seconds')} > 15`,
    'clients have been held for {{ $value | humanizeDuration }}',
    'A hold ends by itself; this one does not. Run `verdigris recover`; do not resume by hand.',
    'operations/recover.md',
  ),
  rule(
    'VerdigrisColourDown',
    'critical',
    '1m',
    `${m('verdigris_colour_up')}{role="live"} == 0`,
    'the live colour {{ $labels.colour }} does not answer',
    'Clients wait or fail. See its pod or its log.',
    'errors.md#server-down',
  ),
  rule(
    'VerdigrisPathDown',
    'critical',
    '1m',
    `${m('verdigris_path_up')} == 0`,
    "the clients' path is down or does not answer",
    'Run `verdigris status`: it says which, and what to do.',
    'router.md',
  ),
  rule(
    'VerdigrisRouteDiffers',
    'critical',
    '1m',
    `${m('verdigris_routed')} == 1 unless on (environment, colour) ${m('verdigris_live')} == 1`,
    'writes are routed to {{ $labels.colour }}, which is not live',
    'Somebody moved the route by hand. The fence rejects the writes; the next command fixes the route.',
    'kubernetes.md',
  ),
  rule(
    'VerdigrisUnfinished',
    'warning',
    '10m',
    `${m('verdigris_operation_age_seconds')} > 0 unless on (environment) ${m('verdigris_operator')} == 1`,
    '{{ $labels.verb }} was interrupted and no command continues it',
    'Run the same verb again, or `verdigris recover`.',
    'operations/recover.md',
  ),
  rule(
    'VerdigrisDeliveryStopped',
    'warning',
    '0s',
    `${m('verdigris_delivery')}{phase="stopped"} == 1`,
    'the automatic release has stopped',
    'A step failed. `verdigris status` says which, with figures; only `verdigris resume` continues it.',
    'delivery.md',
  ),
  rule(
    'VerdigrisDeliveryGivenUp',
    'warning',
    '0s',
    `time() - ${m('verdigris_delivery_end_timestamp_seconds')}{outcome!="released"} < 3600`,
    'the release was {{ $labels.outcome }}',
    'Automatically, or by the person who took it over. Nothing is lost; `verdigris status` says why. It is not ' +
      'repeated.',
    'delivery.md',
  ),
  rule(
    'VerdigrisDeliveryHeld',
    'warning',
    '1d',
    `${m('verdigris_delivery')}{phase="held"} == 1`,
    'a person has held the release for a day',
    'Nothing is done automatically, not even a rollback, until `verdigris resume`.',
    'delivery.md',
  ),
  rule(
    'VerdigrisNoLosslessRollback',
    'critical',
    '1m',
    `${m('verdigris_lossless_rollback_possible')} == 0`,
    'a rollback would lose rows',
    'Reverse replication is gone or does not apply. `verdigris status` names the cause: where apply is ' +
      'stopped it can be repaired; a slot that is gone comes back with the next release alone.',
    'operations/rollback.md',
  ),
  rule(
    'VerdigrisSlotLost',
    'critical',
    '0s',
    `${m('verdigris_slot_healthy')} == 0`,
    'the slot on {{ $labels.from }} is gone',
    '{{ $labels.to }} can no longer follow: abandon and seed again, or retire.',
    'operations/seed.md',
  ),
  rule(
    'VerdigrisApplyStopped',
    'critical',
    '2m',
    `${m('verdigris_replication_applying')} == 0`,
    '{{ $labels.to }} does not apply changes of {{ $labels.from }}',
    "WAL is retained on {{ $labels.from }} meanwhile. See the server's log.",
    'findings.md#apply-stopped',
  ),
  rule(
    'VerdigrisLag',
    'warning',
    '5m',
    `${m('verdigris_replication_lag_seconds')} > 30`,
    '{{ $labels.to }} is {{ $value | humanizeDuration }} behind',
    'A switchover would wait, or be refused.',
    'operations/seed.md',
  ),
  rule(
    'VerdigrisRetainedWal',
    'warning',
    '5m',
    `${m('verdigris_slot_retained_wal_bytes')} > on (environment) group_left () 0.5 * ${m('verdigris_retained_wal_limit_bytes')}`,
    'a slot retains {{ $value | humanize1024 }}B of WAL on {{ $labels.from }}',
    'At limits.retainedWal the slot is given up, so that the disk does not fill.',
    'operations/seed.md',
  ),
  rule(
    'VerdigrisDiskFull',
    'critical',
    '1m',
    `${m('verdigris_disk_free_bytes')} < 0.1 * ${m('verdigris_disk_bytes')}`,
    '{{ $value | humanize1024 }}B are left on the disk of {{ $labels.place }}',
    'A release stops there, and a server without room for its log ends. Undoing has a reserve.',
    'errors.md#disk-full',
  ),
  rule(
    'VerdigrisDrillFailed',
    'warning',
    '0s',
    `${m('verdigris_drill_success')} == 0`,
    'the last drill failed',
    'A release or its rollback would not work today. The report says which step failed.',
    'operations/drill.md',
  ),
  rule(
    'VerdigrisDrillOld',
    'warning',
    '1h',
    `time() - ${m('verdigris_drill_end_timestamp_seconds')} > 8 * 86400`,
    'no drill for {{ $value | humanizeDuration }}',
    'The schedule does not run, or drills are refused because a release is always under way.',
    'operations/drill.md',
  ),
  rule(
    'VerdigrisUnobserved',
    'warning',
    '10m',
    `${m('verdigris_observed')} == 0`,
    'the journal cannot be read',
    'No other alert can be trusted until it can.',
    'operations/journal.md',
  ),
  silence(
    'VerdigrisExporterDown',
    '5m',
    'up{job=~".*verdigris.*"} == 0',
    '{{ $labels.instance }} does not answer Prometheus',
    'Nothing watches its environment now: none of the other alerts can fire. See whether `verdigris metrics --listen` runs there.',
  ),
  silence(
    'VerdigrisExporterGone',
    '10m',
    `absent(${m('verdigris_observed')})`,
    'no environment is observed',
    'No exporter is there at all, or Prometheus no longer asks one: none of the other alerts can fire.',
  ),
  rule(
    'VerdigrisPromiseBroken',
    'warning',
    '5m',
    `${m('verdigris_troubles')} > 0`,
    '{{ $value }} points are not as the state promises',
    'Run `verdigris status`: each is named with the command that repairs it.',
    'reference.md',
  ),
  rule(
    'VerdigrisProofVoid',
    'warning',
    '5m',
    `${m('verdigris_proof_good')} == 0`,
    'what was verified no longer counts',
    'Something happened since the comparison; `switch` is refused until `verdigris verify` ran again.',
    'operations/verify.md',
  ),
  rule(
    'VerdigrisProofOld',
    'warning',
    '1h',
    `time() - ${m('verdigris_proof_timestamp_seconds')} > 86400`,
    'the candidate was compared {{ $value | humanizeDuration }} ago',
    'A candidate that waits keeps WAL, and its proof grows old: switch, verify again, or abandon.',
    'operations/verify.md',
  ),
  rule(
    'VerdigrisDeclaredOtherwise',
    'warning',
    '1h',
    `${m('verdigris_declared_live')} == 1 unless on (environment, colour) ${m('verdigris_live')} == 1`,
    'the declaration says live: {{ $labels.colour }}, and the other colour is live',
    'The next `verdigris release` would move the writes. Write the colour that is live, or run it.',
    'declaration.md',
  ),
];

/** As Prometheus' own rule files have it; also the `spec` of a PrometheusRule. */
export function ruleGroups(): { groups: readonly { name: string; rules: readonly AlertRule[] }[] } {
  return { groups: [{ name: 'verdigris', rules: alertRules }] };
}
