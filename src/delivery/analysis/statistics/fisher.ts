/** Errors among so many attempts. */
export interface Attempts {
  readonly errors: number;
  readonly of: number;
}

/**
 * Fisher's exact test, one-sided: how probable it is that of all errors at least as many fell on `second` if both made
 * them alike (Fisher 1935, The Design of Experiments). Exact also for the few errors that there should be.
 */
export function fisher(first: Attempts, second: Attempts): number {
  const errors = first.errors + second.errors;
  const of = logChoose(first.of + second.of, errors);
  let p = 0;
  for (let on = second.errors; on <= Math.min(errors, second.of); on++)
    if (errors - on <= first.of) p += Math.exp(logChoose(second.of, on) + logChoose(first.of, errors - on) - of);
  return Math.min(1, p);
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log(n - k + i) - Math.log(i);
  return sum;
}
