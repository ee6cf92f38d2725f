import type { Metric } from '../../../model/delivery-metrics.ts';
import type { Traffic } from '../../../platform/port/traffic.ts';
import { mirror } from '../mirror/mirror.ts';
import { differingStatements, differingText } from '../mirror/report.ts';
import type { Colours } from '../colours.ts';
import { inconclusive, type Measurement } from '../measurement.ts';
import { compareErrors, compareLatency } from '../statistics/compare.ts';
import { leastSamples } from '../statistics/mann-whitney.ts';

/** Of `timeout`, for what is under way when it is over. */
const last = 2_000;

/**
 * What clients read at the moment, run on both colours: whether it gives the same, fails more often, or takes longer.
 */
export async function measureMirror(
  metric: Metric,
  colours: Colours,
  traffic: Pick<Traffic, 'reads'>,
  signal: AbortSignal,
): Promise<Measurement> {
  if (!traffic.reads) return inconclusive("the clients' path here does not see statements");
  if (colours.journal.live === colours.candidate) return inconclusive('what is read is mirrored before the switchover');
  const end = AbortSignal.any([signal, AbortSignal.timeout(Math.max(last, metric.timeout - last))]);
  const report = await mirror(colours, traffic.reads(metric.share, end), end);
  if (differingStatements(report).length > 0)
    return { verdict: 'failure', seen: differingText(report), value: differingStatements(report).length };
  const samples = report.statements.map(({ sample }) => sample);
  const errors = compareErrors(samples, metric);
  if (errors.verdict === 'failure') return errors;
  // What came by seldom can be compared by its rows alone.
  const often = samples.filter(({ live, candidate }) => Math.min(live.length, candidate.length) >= leastSamples);
  if (often.length === 0)
    return inconclusive(
      `${report.compared} of ${report.looked} statements were compared, none of them ${leastSamples} times: raise \`share\` or \`timeout\``,
    );
  const latency = compareLatency(often, metric);
  return { ...latency, seen: `${report.compared} statements give the same on both; ${latency.seen}` };
}
