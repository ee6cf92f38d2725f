import type { Environment } from '../../../model/environment.ts';
import type { Pod } from '../pods.ts';
import type { Problem } from './adopt-checks.ts';

/** A pod, as far as it says where its data is and whose it is. */
export interface Volumes extends Omit<Pod, 'spec'> {
  readonly spec: {
    readonly securityContext?: { readonly runAsUser?: number };
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly securityContext?: { readonly runAsUser?: number };
      readonly volumeMounts?: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly subPath?: string;
      }[];
    }[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
  };
}

/** Which claim holds the data directory, and where in it. */
export function dataPlace(pod: Volumes, directory: string): { claim: string; path: string } | { fault: Problem } {
  const claims = new Map(
    (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim: claim }) =>
      claim ? [[name, claim.claimName] as const] : [],
    ),
  );
  const mounts = pod.spec.containers
    .flatMap(({ volumeMounts = [] }) => volumeMounts)
    .filter(({ name }) => claims.has(name));
  const within = mounts
    .filter(({ mountPath }) => directory === mountPath || directory.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    .toSorted((one, two) => two.mountPath.length - one.mountPath.length)[0];
  const claim = within && claims.get(within.name);
  if (!within || claim === undefined)
    return {
      fault: {
        title: `its data directory ${directory} is on no PersistentVolumeClaim`,
        reason: 'A candidate is made from a snapshot of the claim.',
        fix: 'Load a dump into a new environment instead.',
      },
    };
  const others = [...new Set(mounts.map(({ name }) => name))].filter((name) => name !== within.name);
  if (others.length > 0)
    return {
      fault: {
        title: `its pod has further volumes (${others.join(', ')})`,
        reason: 'WAL or tablespaces on another volume need a snapshot of both at one instant.',
        fix: 'Move everything to one volume; or load a dump into a new environment.',
      },
    };
  return {
    claim,
    path: [within.subPath ?? '', directory.slice(within.mountPath.replace(/\/$/, '').length)]
      .join('/')
      .split('/')
      .filter(Boolean)
      .join('/'),
  };
}

export function ownerProblems({ kubernetes }: Environment, pod: Volumes, directory: string): Problem[] {
  const user =
    pod.spec.containers.find(({ volumeMounts = [] }) =>
      volumeMounts.some(({ mountPath }) => directory.startsWith(mountPath)),
    )?.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (user === undefined || user === 0 || user === kubernetes.user) return [];
  return [
    {
      title: `its server runs as user ${user}, the candidates would run as ${kubernetes.user}`,
      reason: 'PostgreSQL refuses a data directory that another user owns, and a copy keeps the owner.',
      fix: `Declare kubernetes.user: ${user}, and images of PostgreSQL that run as any user, as the official ones do.`,
    },
  ];
}
