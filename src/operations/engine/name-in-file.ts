import type { Context } from './context.ts';

/**
 * Of a further database, what the names of its files say it by: another for each, as no folder and no shell reads it. A
 * database's name may have slashes, blanks and quotes.
 */
export function nameInFile({ isInside, environment: { database } }: Context): string {
  const hex = (sign: string): string => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
  return isInside ? `-${encodeURIComponent(database).replaceAll(/[!'()*]/g, hex)}` : '';
}
