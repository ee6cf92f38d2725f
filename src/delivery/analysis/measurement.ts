import { meets, type Condition } from '../../model/condition.ts';
import type { MetricVerdict } from '../../model/delivery-record.ts';

/** One look at a metric. */
export interface Measurement {
  readonly verdict: MetricVerdict;
  /** What was seen, with figures, for people. */
  readonly seen: string;
  readonly value?: number;
}

export interface Conditions {
  readonly success?: Condition | undefined;
  readonly failure?: Condition | undefined;
}

export const inconclusive = (seen: string): Measurement => ({ verdict: 'inconclusive', seen });

/**
 * What a number means. Where both are declared, what lies between them is inconclusive, and what meets both has failed;
 * where one is, the rest is the other's. What is no finite number is always inconclusive.
 */
export function judgeValue(value: number, { success, failure }: Conditions, seen: string): Measurement {
  if (!Number.isFinite(value)) return inconclusive(`${seen}: no number`);
  const given = (verdict: MetricVerdict): Measurement => ({ verdict, seen, value });
  if (failure && meets(value, failure)) return given('failure');
  if (success && meets(value, success)) return given('success');
  if (success && failure) return given('inconclusive');
  return given(success ? 'failure' : 'success');
}
