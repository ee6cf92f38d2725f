import type { Metric } from '../../../model/delivery-metrics.ts';
import { inconclusive, type Measurement } from '../measurement.ts';
import { shortStatement } from '../one-line.ts';
import { fisher } from './fisher.ts';
import { leastSamples, mannWhitney } from './mann-whitney.ts';

/** What one statement did on both colours at the same time; milliseconds of executions without an error. */
export interface StatementSample {
  readonly statement: string;
  readonly live: readonly number[];
  readonly candidate: readonly number[];
  readonly errors: { readonly live: number; readonly candidate: number };
  /** In the server's words. */
  readonly error?: string | undefined;
}

type Limits = Pick<Metric, 'confidence' | 'count' | 'tolerance'>;

/**
 * What one test may be wrong by, so that the whole analysis (each statement, each measurement) stops a release without
 * a difference no more often than 1 minus the confidence (Bonferroni).
 */
function alpha({ confidence, count }: Limits, samples: readonly StatementSample[]): number {
  return (1 - confidence) / (count * Math.max(1, samples.length));
}

/**
 * Whether a statement is slower on the candidate by more than the tolerance: two samples of the same time, not two
 * means.
 */
export function compareLatency(samples: readonly StatementSample[], limits: Limits): Measurement {
  const tested = samples.filter(
    ({ live, candidate }) => live.length >= leastSamples && candidate.length >= leastSamples,
  );
  if (tested.length === 0)
    return inconclusive(
      `no statement ran ${leastSamples} times on both colours without an error: nothing can be compared`,
    );
  const results = tested.map((sample) => {
    const borne = sample.live.map((ms) => ms * (1 + limits.tolerance));
    return { sample, ratio: median(sample.candidate) / median(sample.live), p: mannWhitney(borne, sample.candidate).p };
  });
  const slower = results.filter(({ p }) => p < alpha(limits, samples)).toSorted((a, b) => b.ratio - a.ratio);
  const value = Math.max(...results.map(({ ratio }) => ratio));
  const text = slower
    .map(
      ({ sample, ratio, p }) =>
        `${shortStatement(sample.statement)} takes ${ms(median(sample.candidate))} on the candidate and ${ms(median(sample.live))} on the live colour ` +
        `(${ratio.toFixed(2)} times; medians of ${sample.candidate.length} and ${sample.live.length}, Mann–Whitney p = ${p.toExponential(1)})`,
    )
    .join('; ');
  if (slower.length > 0) return { verdict: 'failure', seen: text, value };
  // One that could not be compared is not one that is not slower.
  if (tested.length < samples.length)
    return {
      ...inconclusive(
        `${samples.length - tested.length} of ${samples.length} statements did not run ${leastSamples} times on both colours`,
      ),
      value,
    };
  return {
    verdict: 'success',
    seen: `${tested.length} statements, the slowest ${value.toFixed(2)} times the live colour`,
    value,
  };
}

/** Whether a statement fails more often on the candidate. */
export function compareErrors(samples: readonly StatementSample[], limits: Limits): Measurement {
  const attempts = ({ live, candidate, errors }: StatementSample) => ({
    live: { errors: errors.live, of: errors.live + live.length },
    candidate: { errors: errors.candidate, of: errors.candidate + candidate.length },
  });
  const few = samples.filter(
    (sample) => attempts(sample).live.of < leastSamples || attempts(sample).candidate.of < leastSamples,
  );
  const worse = samples.filter((sample) => {
    const { live, candidate } = attempts(sample);
    return fisher(live, candidate) < alpha(limits, samples);
  });
  const value = samples.reduce((sum, { errors }) => sum + errors.candidate - errors.live, 0);
  if (worse.length > 0)
    return {
      verdict: 'failure',
      value,
      seen: worse
        .map((sample) => {
          const { live, candidate } = attempts(sample);
          return (
            `${shortStatement(sample.statement)} failed ${candidate.errors} of ${candidate.of} times on the ` +
            `candidate and ${live.errors} of ${live.of} on the live colour: ${sample.error ?? ''}`
          );
        })
        .join('; '),
    };
  if (samples.length === 0 || few.length > 0)
    return inconclusive(`${few.length} of ${samples.length} statements ran less than ${leastSamples} times`);
  return { verdict: 'success', seen: `${samples.length} statements fail no more often than on the live colour`, value };
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;
}
