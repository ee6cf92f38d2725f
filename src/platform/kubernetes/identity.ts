import { engineState, journalLost, otherEnvironment, type Trace } from '../../model/birth.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import { parseJournal } from '../../model/journal-text.ts';
import type { Cluster, Stored } from './cluster.ts';
import type { KubernetesParts } from './parts.ts';
import { objectNames } from '../../manifests/names.ts';

/** Which environment it is, and where: what Pulumi's state keeps, all of it uids. */
export interface Identity {
  readonly environment?: string | undefined;
  readonly namespace?: string | undefined;
  /** Of the namespace kube-system, which is as good as the cluster's own; only somebody who may read it knows it. */
  readonly cluster?: string | undefined;
}

export async function identityOf({ cluster }: KubernetesParts, { uid }: Journal): Promise<Identity> {
  return { environment: uid, ...(await placeOf(cluster)) };
}

async function placeOf(cluster: Cluster): Promise<Identity> {
  const [namespace, system] = await Promise.all([uidOf(cluster, cluster.namespace), uidOf(cluster, 'kube-system')]);
  return { namespace, cluster: system };
}

async function uidOf(cluster: Cluster, namespace: string): Promise<string | undefined> {
  const found = await cluster.read<Stored>('Namespace', namespace).catch((error: unknown) => {
    if (error instanceof VerdigrisError && error.id === 'cluster-forbidden') return undefined;
    throw error;
  });
  return found?.metadata.uid;
}

/**
 * Throws where an environment that the engine knows of is not there, or is another one. Opens no connection to a
 * database.
 */
export async function requireKnown(platform: KubernetesParts, known: Identity, forget: string): Promise<void> {
  const { cluster, environment, journal } = platform;
  await requirePlace(platform, known, forget);
  const stored = await journal.read();
  const state: Trace = { what: engineState, uid: known.environment };
  if (!stored)
    throw journalLost(environment, `the namespace ${cluster.namespace}`, [state, ...(await platform.remains())], {
      snapshots: await lastingSnapshots(platform),
      forget,
    });
  const { uid, environment: name } = parseJournal(stored.text, stored.where);
  if (name !== environment || (known.environment !== undefined && known.environment !== uid))
    throw otherEnvironment(environment, uid, [state, ...(await platform.remains())]);
}

/**
 * For a destroy: whether nothing of the environment is left in the very place where it was. Throws as `requireKnown`
 * does where it cannot be determined.
 */
export async function isGone(platform: KubernetesParts, known: Identity, forget: string): Promise<boolean> {
  await requirePlace(platform, known, forget);
  if (!(await platform.journal.read()) && (await platform.remains()).length === 0) return true;
  await requireKnown(platform, known, forget);
  return false;
}

/** Throws where the cluster or the namespace is not the one that the engine's state names. */
async function requirePlace({ cluster, environment }: KubernetesParts, known: Identity, forget: string): Promise<void> {
  const place = await placeOf(cluster);
  const elsewhere = (['cluster', 'namespace'] as const).find(
    (key) =>
      known[key] !== undefined && known[key] !== place[key] && !(key === 'cluster' && place.cluster === undefined),
  );
  // A namespace that was removed in the same cluster is no other place: the environment went with it.
  const gone = elsewhere === 'namespace' && known.cluster !== undefined && known.cluster === place.cluster;
  if (elsewhere !== undefined && !gone)
    throw new VerdigrisError('other-cluster', {
      seen:
        `${environment} was made in another ${elsewhere}: the Pulumi state says ${elsewhere} ${known[elsewhere]}, ` +
        `and here ${cluster.namespace} is ${place[elsewhere] ?? 'not there'}.`,
      required: "the environment's own cluster and namespace.",
      next:
        `nothing was changed. See \`kubectl config current-context\`, KUBECONFIG and kubernetes.context. Where ` +
        `it is meant to be here from now on: ${forget}`,
      facts: { known, found: place },
    });
}

/** Names of the VolumeSnapshots that an environment can be made of again. */
export async function lastingSnapshots({ servers, environment }: KubernetesParts): Promise<string[]> {
  return (await servers.snapshots()).map((name) => objectNames.snapshot(environment, name));
}
