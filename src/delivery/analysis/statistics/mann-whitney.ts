import { normalTail } from './normal.ts';

/** Fewest values of each sample from which the normal approximation is taken: below, an answer would be luck. */
export const leastSamples = 50;

/**
 * The Mann–Whitney U test, one-sided: how probable values as much larger in `second` would be if both came from the
 * same distribution. By the normal approximation with the correction for ties and for continuity (Mann and Whitney
 * 1947; Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 2014, section 4.1). Nothing is assumed of the
 * distribution: latencies have long tails.
 */
export function mannWhitney(
  first: readonly number[],
  second: readonly number[],
): { readonly u: number; readonly p: number } {
  const [n, m] = [first.length, second.length];
  const [lower, upper] = [Float64Array.from(first).sort(), Float64Array.from(second).sort()];
  let rankSum = 0;
  let ties = 0;
  for (let i = 0, j = 0; i < n || j < m;) {
    const value = Math.min(lower[i] ?? Infinity, upper[j] ?? Infinity);
    const [beginI, beginJ] = [i, j];
    while (lower[i] === value) i++;
    while (upper[j] === value) j++;
    const size = i - beginI + (j - beginJ);
    // Equal values share the mean of the ranks that they take.
    rankSum += (j - beginJ) * (beginI + beginJ + (size + 1) / 2);
    ties += size ** 3 - size;
  }
  const u = rankSum - (m * (m + 1)) / 2;
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return { u, p: 1 };
  return { u, p: normalTail((u - (n * m) / 2 - 0.5) / Math.sqrt(variance)) };
}
