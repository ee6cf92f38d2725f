import { closest, distance } from 'fastest-levenshtein';

/**
 * The known name that somebody probably meant; undefined where none is near: more than a third of the letters differ.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name, known);
  return distance(name, candidate) <= Math.max(2, Math.floor(name.length / 3)) ? candidate : undefined;
}
