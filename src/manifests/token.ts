import { staleToken, tokenEdited } from '../model/failures.ts';
import { domain } from './names.ts';

type Annotations = Readonly<Record<string, string | undefined>>;

/** Where an object says under which fencing token it was last written. */
const tokenKey = `${domain}/token`;

export function tokenAnnotation(token: number): Readonly<Record<string, string>> {
  return { [tokenKey]: String(token) };
}

/**
 * The fencing token that an object was last written under; 0 before the first. One that somebody edited into no number
 * is above every other.
 */
export function writtenToken(annotations: Annotations = {}): number {
  const text = annotations[tokenKey];
  if (text === undefined) return 0;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

/**
 * `where`: the object, for people. @throws VerdigrisError `stale-token` where somebody newer has written it, and where
 * nobody can tell: a person puts that right.
 */
export function refuseNewer(annotations: Annotations | undefined, token: number, where: string): void {
  const newest = writtenToken(annotations);
  if (newest <= token) return;
  if (Number.isFinite(newest)) throw staleToken(where, token, newest);
  throw tokenEdited(where, tokenKey, annotations?.[tokenKey] ?? '', token);
}

export function withoutToken<T>(annotations: Readonly<Record<string, T>> = {}): Record<string, T> {
  const { [tokenKey]: _, ...others } = annotations;
  return others;
}
