import type { DeclarationIssue } from './declaration-issues.ts';
import { asObject } from './raw.ts';

interface Server {
  readonly path: string;
  readonly kind: unknown;
  readonly given: Readonly<Record<string, unknown>>;
  readonly colour?: unknown;
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const ipv6 = /^[\da-f:]*:[\da-f:.]*$/i;

/** Addresses that the API server refuses in an EndpointSlice: they lead to whoever asks. */
const ownAddress = /^(127\.|169\.254\.|0\.|::1$|fe80:|::$)/i;

/** Of one Service that leads to the primary of a Cluster by its selector, and to an address outside by an EndpointSlice. */
export function unfitService(top: Record<string, unknown>, servers: readonly Server[]): DeclarationIssue[] {
  const traffic = asObject(top['traffic']);
  if (traffic['kind'] !== 'service') return [];
  const declared = servers.filter(({ colour }) => colour !== undefined);
  const clusters = declared.filter(({ kind }) => kind === 'cnpg');
  const outside = declared.filter(({ kind }) => kind === 'external');
  return [
    ...declared.filter(({ kind }) => kind !== 'cnpg' && kind !== 'external').map(({ path }) => unreached(path)),
    ...outside.flatMap(unfitAddress),
    ...unfitFamilies(outside),
    ...(['namespace', 'context'] as const).flatMap((key) => {
      const all = [...clusters.map(({ given }) => given[key]), ...(key in traffic ? [traffic[key]] : [])];
      if (clusters.length === 0 || new Set(all).size <= 1) return [];
      return [{ path: `traffic.${key}`, message: `differs: a Service selects pods of its own ${key} alone` }];
    }),
  ];
}

function unreached(path: string): DeclarationIssue {
  const message = 'is not cnpg or external, and traffic.kind service leads to Clusters, and to addresses outside';
  return { path: `${path}.kind`, message };
}

function unfitAddress({ path, given: { host } }: Server): DeclarationIssue[] {
  if (typeof host !== 'string') return [];
  if (!ipv4.test(host) && !ipv6.test(host))
    return [
      {
        path: `${path}.host`,
        message:
          'is a name, and the EndpointSlice of a Service has addresses: declare the address if it stays through failovers, ' +
          'or let clients come by the router (leave traffic out) or by a program of your own (traffic.kind command)',
      },
    ];
  if (!ownAddress.test(host)) return [];
  return [{ path: `${path}.host`, message: 'leads to whoever asks, and Kubernetes takes no such address' }];
}

function unfitFamilies(outside: readonly Server[]): DeclarationIssue[] {
  const families = new Set(outside.map(({ given: { host } }) => String(host).includes(':')));
  if (families.size < 2) return [];
  return [{ path: 'traffic.kind', message: 'is service, whose addresses are all of IPv4 or all of IPv6' }];
}
