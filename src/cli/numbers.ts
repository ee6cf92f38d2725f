import { InvalidArgumentError } from 'commander';
import { duration } from '../model/units.ts';

/** A count, as an option has it. */
export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1');
  return value;
}

/** A canary's weight: 0 takes the readers back. */
export function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 100)
    throw new InvalidArgumentError('a whole number from 0 to 100');
  return value;
}

/** Some of a whole, above 0, as `10%` or `0.1`; the fraction. */
export function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('a share such as 10% or 0.1');
  return value;
}

/** Some of a whole in percent, above 0. */
export function percentage(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('a number above 0 and up to 100');
  return value;
}

/** A time such as `500ms` or `3s`, as an option has it, in milliseconds. */
export function milliseconds(text: string): number {
  const parsed = duration.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? 'a duration');
  return parsed.data;
}
