import { describe } from '../../model/errors.ts';
import { readyMetric, readyMetrics, type Metric, type ReadyMetric } from '../../model/delivery-metrics.ts';
import type { DeliveryStep } from '../../model/delivery-step.ts';
import type { Environment } from '../../model/environment.ts';
import { Colours, type AnalysisParts } from './colours.ts';
import { inconclusive, type Measurement } from './measurement.ts';
import { measureMirror } from './ready/mirror.ts';
import { measureGauge } from './ready/gauges.ts';
import { measurePlans } from './ready/plans.ts';
import { sampleStatements } from './ready/statements.ts';
import { measureCommand } from './sources/command.ts';
import { measureJob } from './sources/job.ts';
import { measureHttp } from './sources/http.ts';
import { measurePrometheus } from './sources/prometheus.ts';
import { measureSql } from './sources/sql.ts';
import { compareErrors, compareLatency } from './statistics/compare.ts';

/** Ready ones that need nothing declared and nothing installed. */
const always: readonly ReadyMetric[] = ['lag', 'apply', 'connections', 'indexes'];
/** Those that a retained colour which rests cannot answer. */
const following: readonly string[] = ['lag', 'apply'];

/**
 * The metrics of a step, by name: those it names, else all that are declared and the ready ones that can always be had.
 */
export function metricsOf(
  { delivery, retention }: Environment,
  step: DeliveryStep | undefined,
): Record<string, Metric> {
  if (step?.kind !== 'analysis' && step?.kind !== 'watch') return {};
  const rests = step.kind === 'watch' && retention.mode === 'scaled-down';
  const own = Object.keys(delivery.metrics);
  const standard = [...new Set([...own, ...always])].filter(
    (name) => !rests || own.includes(name) || !following.includes(name),
  );
  return Object.fromEntries(
    (step.metrics ?? standard).flatMap((name) => {
      const metric = delivery.metrics[name] ?? (isReady(name) ? readyMetric(name) : undefined);
      return metric ? [[name, metric]] : [];
    }),
  );
}

function isReady(name: string): name is ReadyMetric {
  return (readyMetrics as readonly string[]).includes(name);
}

/** Looks at one metric once. Never throws: what cannot be measured is inconclusive, and says why. */
export async function measureMetric(metric: Metric, parts: AnalysisParts, signal: AbortSignal): Promise<Measurement> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(metric.timeout)]);
  const colours = new Colours(parts, metric.timeout);
  try {
    if (metric.prometheus) return await measurePrometheus(metric.prometheus, metric, limited);
    if (metric.http) return await measureHttp(metric.http, metric, limited);
    if (metric.sql) return await measureSql(metric.sql, metric, colours);
    if (metric.command) return await measureCommand(metric.command, metric, limited, environmentOf(parts));
    if (metric.job) return await measureJob(metric.job, metric, limited, environmentOf(parts), parts.platform);
    if (metric.ready === 'mirror') return await measureMirror(metric, colours, parts.platform.traffic, limited);
    return await measureReady(metric, metric.ready ?? 'lag', colours);
  } catch (error) {
    signal.throwIfAborted();
    return inconclusive(describe(error));
  }
}

async function measureReady(
  metric: Metric,
  ready: Exclude<ReadyMetric, 'mirror'>,
  colours: Colours,
): Promise<Measurement> {
  if (ready === 'plans') return measurePlans(colours);
  if (ready !== 'latency' && ready !== 'errors') return measureGauge(ready, metric, colours);
  const samples = await sampleStatements(metric, colours);
  if (typeof samples === 'string') return inconclusive(samples);
  return ready === 'latency' ? compareLatency(samples, metric) : compareErrors(samples, metric);
}

/** The variables that a command and a Job get. */
function environmentOf({ environment, record, journal }: AnalysisParts): Record<string, string> {
  return {
    VERDIGRIS_ENVIRONMENT: environment.name,
    VERDIGRIS_RELEASE: record.to,
    VERDIGRIS_CANDIDATE: record.candidate,
    VERDIGRIS_LIVE: journal.live,
    VERDIGRIS_STEP: record.step.text,
  };
}
