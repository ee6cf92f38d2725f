import type { Span } from './journal.ts';

/** What one command did of a verb, or what is left of it after it was cut short, with its parts in their order. */
export interface Run {
  readonly verb: string;
  readonly spans: readonly Span[];
  /** Milliseconds since the epoch, of its first step and of the end of its last. */
  readonly begin: number;
  readonly end: number;
  /** Milliseconds in which a step was at work: between two steps a person may have slept. */
  readonly worked: number;
}

/** Spans in the order in which they were written, as runs: one begins with another verb, and where a step comes again. */
export function runsOf(spans: readonly Span[]): Run[] {
  const runs: Span[][] = [];
  for (const span of spans) {
    const last = runs.at(-1);
    const goesOn = last?.[0]?.verb === span.verb && last.every(({ step }) => step !== span.step);
    if (last && goesOn) last.push(span);
    else runs.push([span]);
  }
  return runs.map(runOf);
}

function runOf(spans: readonly Span[]): Run {
  const times = spans.map(({ startedAt, endedAt }) => [Date.parse(startedAt), Date.parse(endedAt)] as const);
  return {
    verb: spans[0]?.verb ?? '',
    spans,
    begin: Math.min(...times.map(([from]) => from)),
    end: Math.max(...times.map(([, to]) => to)),
    worked: times.reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0),
  };
}
