import type { Cluster, Stored } from '../kubernetes/cluster.ts';

/** Of CloudNativePG's Cluster, what Verdigris reads. */
export interface CnpgCluster extends Stored {
  readonly spec: {
    readonly instances: number;
    readonly enableSuperuserAccess?: boolean;
    readonly replica?: { readonly enabled?: boolean; readonly primary?: string };
    readonly managed?: { readonly roles?: readonly ManagedRole[] };
    readonly bootstrap?: Readonly<Record<string, Bootstrap | undefined>>;
    readonly minSyncReplicas?: number;
    readonly postgresql?: {
      readonly parameters?: Readonly<Record<string, string>>;
      readonly synchronous?: { readonly number?: number };
    };
    readonly replicationSlots?: {
      readonly highAvailability?: { readonly enabled?: boolean; readonly synchronizeLogicalDecoding?: boolean };
    };
  };
  readonly status?: {
    readonly phase?: string;
    readonly readyInstances?: number;
    readonly currentPrimary?: string;
    readonly targetPrimary?: string;
    readonly writeService?: string;
    readonly certificates?: { readonly serverCASecret?: string };
    readonly pgDataImageInfo?: { readonly majorVersion?: number };
  };
}

export interface ManagedRole {
  readonly name: string;
  readonly login?: boolean;
  readonly ensure?: 'present' | 'absent';
}

/** How a Cluster began; its owner's password is kept by the operator as the Secret has it. */
interface Bootstrap {
  readonly owner?: string;
  readonly secret?: { readonly name?: string };
}

interface Attached extends Stored {
  readonly spec: { readonly cluster?: { readonly name?: string }; readonly name?: string; readonly login?: boolean };
}

/** A Cluster and what of CloudNativePG's hangs on it. */
export interface CnpgFacts {
  readonly cluster: CnpgCluster;
  readonly poolers: readonly string[];
  readonly subscriptions: readonly string[];
  /** Roles that are objects of their own, from 1.30 on, and may log in. */
  readonly roles: readonly string[];
}

export async function readCnpg(api: Cluster, name: string): Promise<CnpgFacts | undefined> {
  const cluster = await api.read<CnpgCluster>('Cluster', name);
  if (!cluster) return undefined;
  const of = async (kind: 'Pooler' | 'Subscription' | 'DatabaseRole'): Promise<Attached[]> =>
    (await api.list<Attached>(kind, {})).filter(({ spec }) => spec.cluster?.name === name);
  const [poolers, subscriptions, roles] = await Promise.all([of('Pooler'), of('Subscription'), of('DatabaseRole')]);
  const names = (found: readonly Attached[]): string[] => found.map(({ metadata }) => metadata.name);
  return {
    cluster,
    poolers: names(poolers),
    subscriptions: names(subscriptions),
    roles: roles.filter(({ spec }) => spec.login === true).map(({ spec, metadata }) => spec.name ?? metadata.name),
  };
}

/** The owner that the Cluster began with, and the Secret by which the operator sets its password again and again. */
export function ownerSecret({ spec, metadata }: CnpgCluster): { readonly owner: string; readonly secret: string } {
  const began = Object.values(spec.bootstrap ?? {}).find((each) => each !== undefined);
  return { owner: began?.owner ?? 'app', secret: began?.secret?.name ?? `${metadata.name}-app` };
}
