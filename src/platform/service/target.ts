import { isIPv6 } from 'node:net';
import type { ServerAddress } from '../external/server.ts';

/** Where the Service leads clients: to the primary of a Cluster, by its labels, or to an address outside of the cluster. */
export type Target = { readonly cluster: string } | Pick<ServerAddress, 'host' | 'port'>;

/** At which clients reach the Service, and the Service the servers. */
export const servicePort = 5432;

export function isSameTarget(a: Target | undefined, b: Target): boolean {
  if (!a) return false;
  if ('cluster' in a) return 'cluster' in b && a.cluster === b.cluster;
  return !('cluster' in b) && a.host === b.host && a.port === b.port;
}

/** Of a Service that leads to a Cluster's primary; none where it leads outside. */
export function primarySelector(target: Target): { readonly selector?: Record<string, string> } {
  if (!('cluster' in target)) return {};
  return { selector: { 'cnpg.io/cluster': target.cluster, 'cnpg.io/instanceRole': 'primary' } };
}

export type Family = 'IPv4' | 'IPv6';

/** Of the addresses outside that the Service leads to; undefined where it only ever selects pods. */
export function familyOf(targets: readonly Target[]): Family | undefined {
  const [first] = targets.flatMap((target) => ('cluster' in target ? [] : [target.host]));
  return first === undefined ? undefined : isIPv6(first) ? 'IPv6' : 'IPv4';
}
