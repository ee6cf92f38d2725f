/** One row of a bench: what was measured, against what, and the goal, if there is one. */
export interface BenchRow {
  readonly what: string;
  readonly value: string;
  /** Ours against what a user would do today, in the same run. */
  readonly against?: string | undefined;
  readonly ratio?: number | undefined;
  readonly goal?: string | undefined;
  readonly met?: boolean | undefined;
}

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly result: T }> {
  const begin = performance.now();
  const result = await work();
  return { seconds: (performance.now() - begin) / 1000, result };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}
