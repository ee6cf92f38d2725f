import type { Environment } from '../../model/environment.ts';
import type { Upstream } from '../../router/config.ts';

/** PostgreSQL's, where none is declared. */
export const standardPort = 5432;

interface Address {
  readonly host: string;
  readonly port?: number | undefined;
}

/** Standbys that the router may send readers to, in the order of their names: the same ones are no change to it. */
export function standbyReads(
  { database, limits }: Pick<Environment, 'database' | 'limits'>,
  standbys: readonly Address[],
): Pick<Upstream, 'standbys'> {
  if (standbys.length === 0) return {};
  const at = standbys
    .map(({ host, port = standardPort }) => ({ host, port }))
    .toSorted((one, next) => one.host.localeCompare(next.host) || one.port - next.port);
  return { standbys: { at, database, behind: limits.lag } };
}
