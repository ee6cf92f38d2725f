import { z } from 'zod';

const number = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const comparison = String.raw`(<=|>=|!=|<|>|=)\s*(${number})`;
const whole = new RegExp(`^\\s*${comparison}(?:\\s+and\\s+${comparison})*\\s*$`);
const each = new RegExp(comparison, 'g');

export type Comparator = '<' | '<=' | '>' | '>=' | '=' | '!=';

/** Comparisons that one number has to meet, all of them. */
export type Condition = readonly { readonly comparator: Comparator; readonly than: number }[];

/**
 * `< 0.01`, or several joined by `and`: `>= 1 and < 5`. There is nothing else in it, so nothing of it is ever
 * evaluated.
 */
export const condition = z
  .string()
  .regex(whole, 'is not a comparison with a number, such as "< 0.01", or several joined by "and"')
  .transform(parseCondition);

export function parseCondition(text: string): Condition {
  return [...text.matchAll(each)].map(([, comparator, than]) => ({
    comparator: comparator as Comparator,
    than: Number(than),
  }));
}

/** A number that meets a condition, so also one that meets several joined; undefined where there is none. */
export function exampleOf(wanted: Condition): number | undefined {
  const limits = [...new Set(wanted.map(({ than }) => than))].toSorted((one, next) => one - next);
  const between = limits.slice(1).map((next, at) => (limits[at] ?? next) / 2 + next / 2);
  // Of a limit that is large enough, one more is the same number.
  const beyond = [(limits[0] ?? 0) - 1, (limits.at(-1) ?? 0) + 1, -Number.MAX_VALUE, Number.MAX_VALUE];
  return [...limits, ...between, ...beyond].find((value) => meets(value, wanted));
}

/** Never true of what is no number. */
export function meets(value: number, wanted: Condition): boolean {
  return Number.isFinite(value) && wanted.every(({ comparator, than }) => compare(value, comparator, than));
}

function compare(value: number, comparator: Comparator, than: number): boolean {
  switch (comparator) {
    case '<':
      return value < than;
    case '<=':
      return value <= than;
    case '>':
      return value > than;
    case '>=':
      return value >= than;
    case '=':
      return value === than;
    case '!=':
      return value !== than;
  }
}
