import { metrics, type MetricName } from './metrics.ts';

interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'timeseries' | 'table' | 'state-timeline';
  readonly unit: string;
  readonly targets: readonly { readonly metric: MetricName; readonly expr?: string; readonly legend: string }[];
}

const panels: readonly Panel[] = [
  {
    title: 'State',
    type: 'state-timeline',
    unit: 'short',
    targets: [{ metric: 'verdigris_state', expr: '$ == 1', legend: '{{state}}' }],
  },
  {
    title: 'Live colour',
    type: 'state-timeline',
    unit: 'short',
    targets: [{ metric: 'verdigris_live', expr: '$ == 1', legend: '{{colour}}' }],
  },
  {
    title: 'Clients held',
    type: 'timeseries',
    unit: 's',
    targets: [{ metric: 'verdigris_hold_age_seconds', legend: 'held for' }],
  },
  {
    title: 'Last write pause',
    type: 'stat',
    unit: 's',
    targets: [{ metric: 'verdigris_last_write_pause_seconds', legend: 'pause' }],
  },
  {
    title: 'A rollback loses nothing',
    type: 'stat',
    unit: 'bool_yes_no',
    targets: [{ metric: 'verdigris_lossless_rollback_possible', legend: 'lossless' }],
  },
  {
    title: 'Servers',
    type: 'timeseries',
    unit: 'bool_on_off',
    targets: [
      { metric: 'verdigris_colour_up', legend: '{{colour}} ({{role}})' },
      { metric: 'verdigris_path_up', legend: 'clients’ path' },
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
    title: 'Last drill held',
    type: 'stat',
    unit: 'bool_yes_no',
    targets: [{ metric: 'verdigris_drill_success', legend: 'held' }],
  },
  {
    title: 'Since the last drill',
    type: 'stat',
    unit: 's',
    targets: [{ metric: 'verdigris_drill_end_timestamp_seconds', expr: 'time() - $', legend: 'age' }],
  },
  {
    title: 'Operation under way',
    type: 'timeseries',
    unit: 's',
    targets: [{ metric: 'verdigris_operation_age_seconds', expr: '$ > 0', legend: '{{verb}}' }],
  },
];

/** A dashboard for one environment at a time, to be imported into Grafana. */
export function dashboard(): Record<string, unknown> {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  return {
    title: 'Verdigris',
    uid: 'verdigris',
    tags: ['postgresql', 'verdigris'],
    editable: true,
    refresh: '30s',
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'environment',
          type: 'query',
          datasource,
          query: 'label_values(verdigris_observed, environment)',
          refresh: 2,
        },
      ],
    },
    panels: panels.map(({ title, type, unit, targets }, index) => ({
      id: index + 1,
      title,
      type,
      datasource,
      description: targets.map(({ metric }) => metrics[metric].help).join('; '),
      gridPos: { h: 7, w: 8, x: (index % 3) * 8, y: Math.floor(index / 3) * 7 },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: targets.map(({ metric, expr = '$', legend }, target) => ({
        refId: String.fromCharCode(65 + target),
        datasource,
        expr: expr.replace('$', `${metric}{environment="$environment"}`),
        legendFormat: legend,
      })),
    })),
  };
}
