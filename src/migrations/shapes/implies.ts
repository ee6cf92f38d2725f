import type { Atom, Comparison, Formula, Test } from './formula.ts';

/**
 * `passes`: whoever does not fail one does not fail the other, as CHECK has it, where null passes. `holds`: where one
 * is true so is the other, as a partial index has it.
 */
type Sense = 'passes' | 'holds';

/** Whether the second follows from the first. Sound and not complete: what is not understood does not follow. */
export function implies(a: Formula, b: Formula, sense: Sense): boolean {
  if ('all' in b) return b.all.every((part) => implies(a, part, sense));
  if ('any' in a) return a.any.every((part) => implies(part, b, sense));
  if ('any' in b && b.any.some((part) => implies(a, part, sense))) return true;
  if ('all' in a) return a.all.some((part) => implies(part, b, sense)) || (!('any' in b) && joint(a.all, b));
  return !('any' in b) && atomImplies(a, b, sense);
}

/** Two bounds of one expression together. */
function joint(parts: readonly Formula[], b: Atom): boolean {
  if (b.test.is !== 'not in') return false;
  const { values } = b.test;
  const own = parts.filter((part): part is Atom => 'test' in part && part.of === b.of);
  return [...values].every((value) => own.some(({ test }) => excludes(test, value)));
}

function atomImplies(a: Atom, b: Atom, sense: Sense): boolean {
  if (a.test.is === 'null' && sense === 'passes' && b.strictIn.some((column) => a.of === `{"ColumnRef":["${column}"]}`))
    return true;
  if (a.of !== b.of) return false;
  const [one, other] = [a.test, b.test];
  if (one.is === other.is && !('values' in one) && !('value' in one)) return true;
  if (other.is === 'not null') return sense === 'holds' && ('values' in one || 'value' in one);
  if (one.is === 'in') return [...one.values].every((value) => admits(other, value));
  if (one.is === 'not in') return other.is === 'not in' && [...other.values].every((value) => one.values.has(value));
  if (!('value' in one)) return false;
  if (other.is === 'not in') return [...other.values].every((value) => excludes(one, value));
  return 'value' in other && bounds(one, other);
}

/** Whether a value certainly passes. */
export function admits(test: Test, value: string): boolean {
  if ('values' in test) return test.values.has(value) === (test.is === 'in');
  if (!('value' in test)) return test.is === 'not null';
  const order = compare(value, test.value);
  return order !== undefined && inOrder(test.is, order);
}

/** Whether a value certainly does not. */
export function excludes(test: Test, value: string): boolean {
  if ('values' in test) return test.values.has(value) !== (test.is === 'in');
  if (!('value' in test)) return test.is === 'null';
  const order = compare(value, test.value);
  return order !== undefined && !inOrder(test.is, order);
}

function inOrder(is: Comparison, order: number): boolean {
  if (order === 0) return is === '<=' || is === '>=';
  return order < 0 ? is.startsWith('<') : is.startsWith('>');
}

function bounds(
  one: { readonly is: Comparison; readonly value: string },
  other: { readonly is: Comparison; readonly value: string },
): boolean {
  if (one.is.charAt(0) !== other.is.charAt(0)) return false;
  const order = compare(one.value, other.value);
  if (order === undefined) return false;
  if (order === 0) return one.is === other.is || other.is.endsWith('=');
  return one.is.startsWith('<') ? order < 0 : order > 0;
}

const number = /^[+-]?\d+(\.\d+)?$/;
const moment = /^\d{4}-\d\d-\d\d([ T].*)?$/;

/** Of numbers and of dates as ISO prints them; undefined where neither: text is ordered by a locale. */
export function compare(one: string, other: string): number | undefined {
  if (number.test(one) && number.test(other)) {
    const [left, right] = [Number(one), Number(other)];
    // Beyond what a double tells apart, only equal texts are equal.
    if (left === right && one !== other && !(Number.isSafeInteger(left) && Number.isSafeInteger(right)))
      return undefined;
    return left - right;
  }
  if (moment.test(one) && moment.test(other)) return one < other ? -1 : one > other ? 1 : 0;
  return one === other ? 0 : undefined;
}

/** Whether a condition is true of no row, by what is known of its columns. */
export function isNever(when: Formula, facts: readonly Atom[]): boolean {
  if ('all' in when) return when.all.some((part) => isNever(part, facts));
  if ('any' in when) return when.any.every((part) => isNever(part, facts));
  return facts.some(({ of, test }) => {
    if (test.is === 'null')
      return (
        (of === when.of && when.test.is !== 'null' && when.test.is !== 'as written') ||
        when.strictIn.some((column) => of === `{"ColumnRef":["${column}"]}`)
      );
    if (test.is === 'not null') return of === when.of && when.test.is === 'null';
    return of === when.of && test.is === 'in' && [...test.values].every((value) => excludes(when.test, value));
  });
}
