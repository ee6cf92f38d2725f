import type { LoadOperation } from './load.ts';
import type { ObservedWait } from './observed.ts';
import type { Bucket, Latency, LoadReport } from './report.ts';

/** Buckets that a run is cut into, at most: what a timeline can show. */
const bucketsAtMost = 240;

export function latencyOf(operations: readonly LoadOperation[], from: number, to: number): Latency {
  const times = operations
    .filter(({ at, error }) => at >= from && at < to && error === undefined)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    perSecond: (times.length * 1000) / Math.max(1, to - from),
    p50: at(0.5),
    p95: at(0.95),
    max: times.at(-1) ?? 0,
  };
}

/**
 * The run in equal parts. A query counts as done where it began; as blocked, and with what it took in all, in each part
 * in which it was under way.
 */
export function bucketsOf(
  operations: readonly LoadOperation[],
  blocked: readonly ObservedWait[],
  ages: readonly { readonly at: number; readonly ms: number }[],
  from: number,
  to: number,
): { bucketMs: number; buckets: Bucket[] } {
  const bucketMs = Math.max(50, Math.ceil((to - from) / bucketsAtMost / 10) * 10);
  const buckets = Array.from({ length: Math.max(1, Math.ceil((to - from) / bucketMs)) }, (_, place) => ({
    at: place * bucketMs,
    operations: 0,
    errors: 0,
    max: 0,
    blocked: 0,
  }));
  const bucket = (at: number): (typeof buckets)[number] | undefined => buckets[Math.floor((at - from) / bucketMs)];
  for (const { at, ms, error } of operations) {
    const into = bucket(at);
    if (!into) continue;
    into.operations++;
    if (error !== undefined) into.errors++;
    for (
      let place = Math.floor((at - from) / bucketMs);
      place < buckets.length && from + place * bucketMs <= at + ms;
      place++
    ) {
      const under = buckets[place];
      if (under) under.max = Math.max(under.max, ms);
    }
  }
  for (const { at, ms } of ages) {
    const into = bucket(at);
    if (into) into.max = Math.max(into.max, ms);
  }
  for (const wait of blocked) {
    for (const each of buckets) if (wait.from < from + each.at + bucketMs && wait.to >= from + each.at) each.blocked++;
  }
  return { bucketMs, buckets };
}

/** Errors by message, the most frequent first. */
export function errorsOf(operations: readonly LoadOperation[], from: number): LoadReport['errors'] {
  const groups = Map.groupBy(
    operations.filter(({ error }) => error !== undefined),
    ({ error }) => error as string,
  );
  return [...groups]
    .map(([message, all]) => ({
      message,
      count: all.length,
      query: all[0]?.text ?? '',
      at: Math.max(0, (all[0]?.at ?? from) - from),
    }))
    .sort((a, b) => b.count - a.count);
}
