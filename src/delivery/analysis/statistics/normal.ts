/**
 * The upper tail of the standard normal distribution, to the last digits of a double also far out, where 1 minus the
 * rest would be noise. Abramowitz and Stegun, Handbook of Mathematical Functions (1964): the series 26.2.11 near 0, the
 * continued fraction 26.2.14 beyond.
 */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) {
    let fraction = z;
    for (let term = 100; term > 0; term--) fraction = z + term / fraction;
    return density / fraction;
  }
  let sum = 0;
  for (let term = z, odd = 1; Math.abs(term) > Number.EPSILON * sum; odd += 2, term *= (z * z) / odd) sum += term;
  return 0.5 - density * sum;
}
