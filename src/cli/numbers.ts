import { InvalidArgumentError } from 'commander';
import { duration } from '../model/units.ts';

/** A count, as an option has it. */
export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1');
  return value;
}

/** A time such as `500ms` or `3s`, as an option has it, in milliseconds. */
export function milliseconds(text: string): number {
  const parsed = duration.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'a duration');
  return parsed.data;
}
