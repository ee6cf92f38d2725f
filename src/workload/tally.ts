/** What all clients saw in one stretch of time; the demo draws these as a timeline. */
export interface Interval {
  /** End of the interval, milliseconds since 1970. */
  readonly at: number;
  readonly acknowledged: number;
  readonly reads: number;
  /** Failed transactions, reads and connection attempts; connections lost while idle are not among them. */
  readonly errors: number;
  /** Milliseconds from sending a write to its acknowledgement; 0 where there was none. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly max: number };
  readonly writesByColour: Readonly<Record<string, number>>;
  readonly readsByColour: Readonly<Record<string, number>>;
}

export interface Tally {
  acknowledged(colour: string, latency: number): void;
  read(colour: string): void;
  failed(): void;
  /** Ends the interval and begins the next one. */
  cut(at: number): Interval;
}

export function startTally(): Tally {
  let latencies: number[] = [];
  let writes: Record<string, number> = {};
  let reads: Record<string, number> = {};
  let errors = 0;
  return {
    acknowledged: (colour, latency) => {
      latencies.push(latency);
      writes[colour] = (writes[colour] ?? 0) + 1;
    },
    read: (colour) => {
      reads[colour] = (reads[colour] ?? 0) + 1;
    },
    failed: () => {
      errors += 1;
    },
    cut: (at) => {
      const interval: Interval = {
        at,
        acknowledged: latencies.length,
        reads: Object.values(reads).reduce((sum, count) => sum + count, 0),
        errors,
        latency: spread(latencies),
        writesByColour: writes,
        readsByColour: reads,
      };
      [latencies, writes, reads, errors] = [[], {}, {}, 0];
      return interval;
    },
  };
}

/** Nearest-rank percentiles. */
export function spread(values: readonly number[]): Interval['latency'] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
