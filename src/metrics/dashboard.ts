import { metrics } from './metrics.ts';
import { panels, type Panel } from './panels.ts';

/** Green where all is well; red from, or below, the value at which somebody has to act. */
function thresholds(red: Panel['red']): Record<string, unknown> {
  const steps =
    red === undefined
      ? [{ color: 'blue', value: null }]
      : 'from' in red
        ? [
            { color: 'green', value: null },
            { color: 'red', value: red.from },
          ]
        : [
            { color: 'red', value: null },
            { color: 'green', value: red.below },
          ];
  return { mode: 'absolute', steps };
}

function mappings(words: Readonly<Record<number, string>> = {}): unknown[] {
  const options = Object.fromEntries(
    Object.entries(words).map(([value, text], index) => [
      value,
      { text, index, color: value === '0' ? 'red' : 'green' },
    ]),
  );
  return Object.keys(options).length > 0 ? [{ type: 'value', options }] : [];
}

/** Writes that moved: a line through every panel. */
function switchovers(datasource: unknown): Record<string, unknown> {
  return {
    name: 'Switchovers',
    datasource,
    enable: true,
    iconColor: 'purple',
    expr: 'changes(verdigris_live{environment="$environment"}[1m]) > 0 and verdigris_live{environment="$environment"} == 1',
    titleFormat: 'writes moved',
    textFormat: '{{colour}} is live',
    step: '30s',
  };
}

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
    annotations: { list: [switchovers(datasource)] },
    panels: panels.map(({ title, type, unit, red, words, targets }, index) => ({
      id: index + 1,
      title,
      type,
      datasource,
      description: targets.map(({ metric }) => metrics[metric].help).join('; '),
      gridPos: { h: 7, w: 8, x: (index % 3) * 8, y: Math.floor(index / 3) * 7 },
      fieldConfig: {
        defaults: {
          unit,
          thresholds: thresholds(red),
          mappings: mappings(words),
          ...(red !== undefined && type === 'timeseries' ? { custom: { thresholdsStyle: { mode: 'line' } } } : {}),
        },
        overrides: [],
      },
      targets: targets.map(({ metric, expr = '$', legend }, target) => ({
        refId: String.fromCharCode(65 + target),
        datasource,
        expr: expr.replace('$', () => `${metric}{environment="$environment"}`),
        legendFormat: legend,
      })),
    })),
  };
}
