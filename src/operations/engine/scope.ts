import type { GlobalScope } from '../../postgres/globals/read.ts';
import type { Context } from './context.ts';

/** What of roles, settings and grants is carried and compared in a database: those of the server in the first alone. */
export function scopeOf(c: Context): GlobalScope {
  return c.isInside ? 'database' : 'server';
}
