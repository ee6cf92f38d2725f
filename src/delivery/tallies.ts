import type { Metric } from '../model/delivery-metrics.ts';
import type { DeliveryRecord, VerdictTally, MetricVerdict } from '../model/delivery-record.ts';
import type { Measurement } from './analysis/measurement.ts';

export type Tallies = DeliveryRecord['tallies'];
export type Metrics = Readonly<Record<string, Metric>>;

/** An environment may be watched for weeks, and the journal is one object. */
const keptVerdicts = 30;
/** Values of a metric that are kept for its chart: the journal is written while clients wait, too. */
const charted = 40;

const none: VerdictTally = { success: 0, failure: 0, inconclusive: 0, at: new Date(0).toISOString(), seen: '' };

export function tallied(
  before: VerdictTally | undefined,
  { verdict, seen, value }: Measurement,
  at: string,
): VerdictTally {
  const { value: _, ...known } = before ?? none;
  const measured = value !== undefined && Number.isFinite(value);
  const series = measured ? thinned([...(known.series ?? []), [Date.parse(at), value]]) : known.series;
  return {
    ...known,
    [verdict]: known[verdict] + 1,
    at,
    seen,
    ...(measured ? { value } : {}),
    ...(series ? { series } : {}),
  };
}

/** Every second one where there are too many, the last one among them: a long time keeps its shape. */
function thinned(series: NonNullable<VerdictTally['series']>): NonNullable<VerdictTally['series']> {
  return series.length > charted ? series.filter((_, index) => (series.length - 1 - index) % 2 === 0) : series;
}

/** The verdicts that a record keeps: the last ones, and of all but the newest without the values of their charts. */
export function kept(verdicts: DeliveryRecord['verdicts']): DeliveryRecord['verdicts'] {
  return verdicts.slice(-keptVerdicts).map((verdict, index, all) =>
    index === all.length - 1
      ? verdict
      : {
          ...verdict,
          metrics: Object.fromEntries(
            Object.entries(verdict.metrics).map(([name, { series: _, ...tally }]) => [name, tally]),
          ),
        },
  );
}

/**
 * What one metric's measurements come to; undefined while more are wanted. What gave no result is measured again, and
 * never counts as success. One on a dry run is waited for, and stops nothing.
 */
export function verdictOf(
  metric: Metric,
  tally: VerdictTally | undefined,
  endless: boolean,
): MetricVerdict | undefined {
  const { success, failure, inconclusive } = tally ?? none;
  const wanted = endless ? Infinity : metric.count;
  if (metric.dryRun) return success + failure + inconclusive >= wanted ? 'success' : undefined;
  if (failure > metric.failureLimit) return 'failure';
  if (inconclusive > metric.inconclusiveLimit) return 'inconclusive';
  return success + failure >= wanted ? 'success' : undefined;
}

/** The worst of all; undefined while one is not through. A failure ends it at once. */
export function overall(metrics: Metrics, tallies: Tallies, endless: boolean): MetricVerdict | undefined {
  const found = Object.entries(metrics).map(([name, metric]) => verdictOf(metric, tallies[name], endless));
  if (found.includes('failure')) return 'failure';
  if (found.includes('inconclusive')) return 'inconclusive';
  return found.includes(undefined) ? undefined : 'success';
}

/** When a time of watching is over: what never gave a result proved nothing. */
export function watched(metrics: Metrics, tallies: Tallies): MetricVerdict {
  return Object.entries(metrics).every(([name, { dryRun }]) => dryRun || (tallies[name]?.success ?? 0) > 0)
    ? 'success'
    : 'inconclusive';
}

/** Names of metrics to measure now, and when the next one is due after them; `since`: when the step began. */
export function due(
  metrics: Metrics,
  tallies: Tallies,
  endless: boolean,
  since: number,
  now: number,
): { readonly names: readonly string[]; readonly next: number } {
  const open = Object.entries(metrics).filter(
    ([name, metric]) => verdictOf(metric, tallies[name], endless) === undefined,
  );
  const at = open.map(([name, { interval, initialDelay }]) => {
    const tally = tallies[name];
    if (!tally) return { name, at: since + initialDelay };
    const last = Date.parse(tally.at);
    // A clock that was set back must not keep a measurement waiting for as long.
    return { name, at: last > now ? now : last + interval };
  });
  return {
    names: at.filter((each) => each.at <= now).map(({ name }) => name),
    next: Math.min(...at.map((each) => each.at)),
  };
}

/** For people: each metric with its counts and what was seen last, the ones that failed first. */
export function talliesText(metrics: Metrics, tallies: Tallies, of: readonly MetricVerdict[]): string {
  return Object.entries(metrics)
    .flatMap(([name, metric]) => {
      const tally = tallies[name];
      const verdict = verdictOf(metric, tally, true) ?? 'success';
      return tally && of.includes(verdict) ? [`${name}: ${tally.seen}`] : [];
    })
    .join('; ');
}
