import { colourBudget, colourConfig, colourServer, colourService, dataPath } from '../../manifests/colour.ts';
import { guardManifests } from '../../manifests/guard.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { objectNames } from '../../manifests/names.ts';
import { overlaid } from '../../manifests/overlay.ts';
import { poolerDeployment } from '../../manifests/pooler.ts';
import { volumeClaim, volumeSnapshot } from '../../manifests/storage.ts';
import { colours, other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { readable } from './classes.ts';
import type { Cluster, Stored } from './cluster.ts';

interface PodManifest extends Manifest {
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly serviceAccountName?: string | undefined;
  readonly containers: readonly { readonly name: string; readonly resources?: Sizes }[];
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Readonly<Partial<Record<'key' | 'operator' | 'value' | 'effect', string>>>[];
}

type Sizes = Readonly<Partial<Record<'requests' | 'limits', Readonly<Record<string, string>>>>>;

/**
 * What the cluster would refuse of a candidate, or of a new environment: each object is made by a dry run, and of a
 * controller the pod that it would make. So whoever has a word in it is asked: quotas, LimitRanges, Pod Security,
 * PriorityClasses, policies, webhooks. `quotas`: whether quotas are reported; not where they were added up already.
 */
export async function admissionFindings(
  environment: Environment,
  cluster: Cluster,
  { making, quotas }: { readonly making: boolean; readonly quotas: boolean },
): Promise<Finding[]> {
  const { objects, along } = await toCome(environment, cluster, making);
  const pods = objects.flatMap(podOf).map((pod) => withoutAccount(pod, along));
  const tried = await Promise.all([...objects, ...pods].map(async (manifest) => tryOut(cluster, manifest)));
  const refused = tried.flatMap(({ refusal }) =>
    refusal === undefined || (refusal.id === 'quota-exceeded' && !quotas) ? [] : [wordsOf(refusal)],
  );
  const imposed = pods.flatMap((pod, index) => imposedOn(pod, tried[objects.length + index]?.made));
  const absent = await pullSecretsMissing(cluster, pods);
  return [
    ...(refused.length > 0
      ? [
          finding('cluster-refuses', {
            title: `the cluster would refuse ${making ? 'what the environment is made of' : 'a candidate'}`,
            objects: [...new Set(refused)],
            reason: making
              ? 'It would be made half, and its pods would never come.'
              : 'The pod would never come, with a slot on the live server that keeps its log meanwhile.',
          }),
        ]
      : []),
    ...(imposed.length > 0
      ? [
          finding('resources-imposed', {
            objects: imposed,
            reason: 'The cluster decides what a server may use: one with too little memory is killed under load.',
          }),
        ]
      : []),
    ...(absent.length > 0
      ? [
          finding('pull-secret-missing', {
            objects: absent,
            reason: 'A node that does not have the image yet cannot pull it: the pod would never start.',
          }),
        ]
      : []),
  ];
}

/** The pods that controllers will make of a candidate, or of a new environment. */
export async function podsToCome(
  environment: Environment,
  cluster: Cluster,
  making: boolean,
): Promise<readonly PodManifest[]> {
  const { objects } = await toCome(environment, cluster, making);
  return objects.flatMap(podOf);
}

/** `along`: service accounts that are made with them. */
async function toCome(
  environment: Environment,
  cluster: Cluster,
  making: boolean,
): Promise<{ readonly objects: readonly Manifest[]; readonly along: readonly string[] }> {
  const colour = making ? environment.live : await unmade(environment, cluster);
  if (colour === undefined) return { objects: [], along: [] };
  const { guard, manifests } = guardManifests(environment, {});
  const objects = [
    ...ofColour(environment, colour, making),
    ...(making ? [poolerDeployment(environment, guard)] : []),
  ].map((manifest) => overlaid(environment, manifest));
  const along = manifests.flatMap(({ kind, metadata }) => (kind === 'ServiceAccount' ? [metadata.name] : []));
  return { objects, along };
}

/** The declared colour that is not there: the next candidate. */
async function unmade({ name, colours: declared, live }: Environment, cluster: Cluster): Promise<Colour | undefined> {
  const there = await Promise.all(
    colours.map(
      async (colour) => [colour, await cluster.read('StatefulSet', objectNames.colour(name, colour))] as const,
    ),
  );
  const absent = there.flatMap(([colour, set]) => (declared[colour] && set === undefined ? [colour] : []));
  return absent.find((colour) => colour === other(live)) ?? absent[0];
}

function ofColour(environment: Environment, colour: Colour, making: boolean): Manifest[] {
  const { release = '', postgres: major = 0 } = environment.colours[colour] ?? {};
  const server = { colour, generation: 0, major, release, parked: !making, replicas: 1 } as const;
  const claim = objectNames.volume(environment.name, other(colour), 0);
  const source = { colour: other(colour), major, claim, path: dataPath } as const;
  return [
    colourConfig(environment, server),
    colourService(environment, colour),
    colourBudget(environment, colour),
    volumeClaim(environment, { colour, generation: 0, storage: environment.kubernetes.storage }),
    colourServer(environment, server),
    ...(making ? [] : [volumeSnapshot(environment, source, 'seed-0')]),
  ];
}

/** The pod of a controller: what it is made of is judged only when the controller makes it, long after. */
function podOf({ kind, metadata, spec }: Manifest): PodManifest[] {
  if (kind !== 'StatefulSet' && kind !== 'Deployment') return [];
  const { template } = spec as { readonly template: Pick<PodManifest, 'metadata' | 'spec'> };
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: `${metadata.name}-0`, namespace: metadata.namespace },
      spec: template.spec,
    } as PodManifest,
  ];
}

/** A service account that is made along with the pod is not there for a dry run: the namespace's own takes its place. */
function withoutAccount(pod: PodManifest, along: readonly string[]): PodManifest {
  const { serviceAccountName = '' } = pod.spec;
  return along.includes(serviceAccountName) ? { ...pod, spec: { ...pod.spec, serviceAccountName: undefined } } : pod;
}

interface Tried {
  readonly made?: (Stored & { readonly spec?: PodSpec }) | undefined;
  readonly refusal?: VerdigrisError;
}

/** Whoever may not make pods, and a webhook that knows no dry run, can only be seen at work. */
async function tryOut(cluster: Cluster, manifest: Manifest): Promise<Tried> {
  try {
    return { made: await cluster.create(manifest, { dryRun: true }) };
  } catch (error) {
    if (!(error instanceof VerdigrisError)) throw error;
    if (error.id === 'quota-exceeded') return { refusal: error };
    if (error.id === 'cluster-refused' && !/does not support dry run/.test(error.seen)) return { refusal: error };
    if (['cluster-refused', 'cluster-forbidden', 'object-missing'].includes(error.id)) return {};
    throw error;
  }
}

function wordsOf({ seen, facts: { message } }: VerdigrisError): string {
  return typeof message === 'string' ? message : seen;
}

/** Resources that a container was given and nobody declared, as `postgresql: limits.memory 64Mi`. */
function imposedOn({ spec }: PodManifest, made: Tried['made']): string[] {
  return (made?.spec?.containers ?? []).flatMap(({ name, resources }) => {
    const own = spec.containers.find((each) => each.name === name)?.resources;
    // A sidecar that a mesh puts beside ours is the mesh's business.
    if (!own) return [];
    return (['requests', 'limits'] as const).flatMap((kind) =>
      Object.entries(resources?.[kind] ?? {}).flatMap(([resource, value]) =>
        own[kind]?.[resource] === undefined ? [`${name}: ${kind}.${resource} ${value}`] : [],
      ),
    );
  });
}

async function pullSecretsMissing(cluster: Cluster, pods: readonly PodManifest[]): Promise<string[]> {
  const named = new Set(pods.flatMap(({ spec }) => (spec.imagePullSecrets ?? []).map(({ name }) => name)));
  const found = await Promise.all(
    [...named].map(async (name) => ((await readable(isThere(cluster, name))) === false ? [`Secret ${name}`] : [])),
  );
  return found.flat();
}

async function isThere(cluster: Cluster, name: string): Promise<boolean> {
  return (await cluster.read('Secret', name)) !== undefined;
}
