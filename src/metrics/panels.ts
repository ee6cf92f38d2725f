import type { MetricName } from './metrics.ts';

/** One of the dashboard. `$` stands for its metric. */
export interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'timeseries' | 'table' | 'state-timeline';
  readonly unit: string;
  /** Values from which on a panel is red, or below which it is, where a reader has to act. */
  readonly red?: { readonly from: number } | { readonly below: number };
  /** Words in place of values. */
  readonly words?: Readonly<Record<number, string>>;
  readonly targets: readonly { readonly metric: MetricName; readonly expr?: string; readonly legend: string }[];
}

export const panels: readonly Panel[] = [
  {
    title: 'State',
    type: 'state-timeline',
    unit: 'short',
    words: { 1: 'in it' },
    targets: [{ metric: 'verdigris_state', expr: '$ == 1', legend: '{{state}}' }],
  },
  {
    title: 'Live colour',
    type: 'state-timeline',
    unit: 'short',
    words: { 1: 'live' },
    targets: [{ metric: 'verdigris_live', expr: '$ == 1', legend: '{{colour}}' }],
  },
  {
    title: 'Clients held',
    type: 'timeseries',
    unit: 's',
    red: { from: 15 },
    targets: [{ metric: 'verdigris_hold_age_seconds', legend: 'held for' }],
  },
  {
    title: 'Last write pause',
    type: 'stat',
    unit: 's',
    red: { from: 5 },
    targets: [{ metric: 'verdigris_last_write_pause_seconds', legend: 'pause' }],
  },
  {
    title: 'A rollback loses nothing',
    type: 'stat',
    unit: 'bool_yes_no',
    red: { below: 1 },
    words: { 0: 'No: it loses rows', 1: 'Yes' },
    targets: [{ metric: 'verdigris_lossless_rollback_possible', legend: 'lossless' }],
  },
  {
    title: 'Servers',
    type: 'timeseries',
    unit: 'bool_on_off',
    red: { below: 1 },
    words: { 0: 'down', 1: 'up' },
    targets: [
      { metric: 'verdigris_colour_up', legend: '{{colour}} ({{role}})' },
      { metric: 'verdigris_path_up', legend: "clients' path" },
    ],
  },
  {
    title: 'Replication lag',
    type: 'timeseries',
    unit: 'bytes',
    targets: [{ metric: 'verdigris_replication_lag_bytes', legend: '{{from}} → {{to}}' }],
  },
  {
    title: 'Replication lag, age',
    type: 'timeseries',
    unit: 's',
    red: { from: 30 },
    targets: [{ metric: 'verdigris_replication_lag_seconds', legend: '{{from}} → {{to}}' }],
  },
  {
    title: 'WAL retained by slots',
    type: 'timeseries',
    unit: 'bytes',
    targets: [
      { metric: 'verdigris_slot_retained_wal_bytes', legend: 'on {{from}}' },
      { metric: 'verdigris_retained_wal_limit_bytes', legend: 'limit' },
    ],
  },
  {
    title: 'Canary',
    type: 'timeseries',
    unit: 'percent',
    targets: [{ metric: 'verdigris_canary_percent', legend: 'reads' }],
  },
  {
    title: 'Database',
    type: 'timeseries',
    unit: 'bytes',
    targets: [{ metric: 'verdigris_database_bytes', legend: '{{colour}}' }],
  },
  {
    title: 'Last drill passed',
    type: 'stat',
    unit: 'bool_yes_no',
    red: { below: 1 },
    words: { 0: 'No', 1: 'Yes' },
    targets: [{ metric: 'verdigris_drill_success', legend: 'held' }],
  },
  {
    title: 'Since the last drill',
    type: 'stat',
    unit: 's',
    red: { from: 8 * 86_400 },
    targets: [{ metric: 'verdigris_drill_end_timestamp_seconds', expr: 'time() - $', legend: 'age' }],
  },
  {
    title: 'Operation under way',
    type: 'timeseries',
    unit: 's',
    targets: [{ metric: 'verdigris_operation_age_seconds', expr: '$ > 0', legend: '{{verb}}' }],
  },
  {
    title: 'Not as the state promises',
    type: 'stat',
    unit: 'short',
    red: { from: 1 },
    targets: [{ metric: 'verdigris_troubles', legend: 'points' }],
  },
  {
    title: 'Declared, and live',
    type: 'state-timeline',
    unit: 'short',
    words: { 1: 'yes' },
    targets: [
      { metric: 'verdigris_declared_live', expr: '$ == 1', legend: 'declared: {{colour}}' },
      { metric: 'verdigris_live', expr: '$ == 1', legend: 'live: {{colour}}' },
    ],
  },
  {
    title: 'Since the candidate was compared',
    type: 'stat',
    unit: 's',
    red: { from: 86_400 },
    targets: [{ metric: 'verdigris_proof_timestamp_seconds', expr: 'time() - $', legend: 'age' }],
  },
  {
    title: 'Disk free',
    type: 'timeseries',
    unit: 'percentunit',
    red: { below: 0.1 },
    targets: [
      {
        metric: 'verdigris_disk_free_bytes',
        expr: '$ / on (environment, place) verdigris_disk_bytes{environment="$environment"}',
        legend: '{{place}}',
      },
    ],
  },
];
