import { colors } from './colors.ts';
import type { Interval } from '../workload/tally.ts';
import { sparkline } from './sparkline.ts';

/**
 * Draws traffic over time, a row per colour for writes and for reads, and the worst latency below: one column is
 * `width` of the run.
 */
export function trafficText(intervals: readonly Interval[], width = 72): string {
  if (intervals.length === 0) return '';
  const per = Math.max(1, Math.ceil(intervals.length / width));
  const columns: Interval[][] = [];
  for (let start = 0; start < intervals.length; start += per) columns.push(intervals.slice(start, start + per));
  const row = (
    label: string,
    paint: (text: string) => string,
    value: (interval: Interval) => number,
    unit: string,
    combine: (values: number[]) => number,
  ): string => {
    const values = columns.map((column) => combine(column.map(value)));
    const top = Math.max(...values, 1e-9);
    return `  ${label.padEnd(13)} ${paint(sparkline(values))} ${colors.dim(`max ${Math.round(top)} ${unit}`)}`;
  };
  const mean = (values: number[]): number => (values.reduce((sum, value) => sum + value, 0) / values.length) * 4;
  return [
    row('blue writes', colors.blueBright, ({ writesByColour }) => writesByColour['blue'] ?? 0, '/s', mean),
    row('green writes', colors.green, ({ writesByColour }) => writesByColour['green'] ?? 0, '/s', mean),
    row('blue reads', colors.blueBright, ({ readsByColour }) => readsByColour['blue'] ?? 0, '/s', mean),
    row('green reads', colors.green, ({ readsByColour }) => readsByColour['green'] ?? 0, '/s', mean),
    row(
      'worst latency',
      colors.yellow,
      ({ latency }) => latency.max,
      'ms',
      (values) => Math.max(...values),
    ),
    `  ${' '.repeat(13)} ${colors.dim(`${(per / 4).toFixed(2)} s a column`)}`,
  ].join('\n');
}
