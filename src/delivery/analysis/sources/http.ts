import { parseCondition } from '../../../model/condition.ts';
import { describe } from '../../../model/errors.ts';
import { inconclusive, judgeValue, type Conditions, type Measurement } from '../measurement.ts';

const well = parseCondition('>= 200 and < 300');

/** The status of an answer. No answer says nothing of the software: the probe may be what is cut off. */
export async function measureHttp(
  { url }: { readonly url: string },
  conditions: Conditions,
  signal: AbortSignal,
): Promise<Measurement> {
  try {
    const begun = performance.now();
    const response = await fetch(url, { signal, redirect: 'manual' });
    await response.body?.cancel();
    const seen = `${url} answered ${response.status} in ${Math.round(performance.now() - begun)} ms`;
    return judgeValue(response.status, conditions.success || conditions.failure ? conditions : { success: well }, seen);
  } catch (error) {
    return inconclusive(`${url} cannot be asked: ${describe(error)}`);
  }
}
