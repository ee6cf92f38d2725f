import { objectNames, type Named } from '../../../manifests/names.ts';
import { dataPath } from '../../../manifests/colour.ts';
import type { SnapshotSource } from '../../../manifests/storage.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { parseJournal } from '../../../model/journal-text.ts';
import { AdoptedServer } from '../adopted.ts';
import { KubernetesJournal } from '../journal.ts';
import type { KubernetesParts } from '../parts.ts';
import type { ServerSet } from '../sets.ts';
import { snapshotContent } from '../storage.ts';

export type From = NonNullable<Environment['kubernetes']['from']>;

/** What the first colour is to be a copy of. */
export type Origin = { readonly source: SnapshotSource } | { readonly snapshot: string };

/** Finds the original, or says what is wrong with it, before anything is made. */
export async function examineOrigin(
  environment: Environment,
  platform: KubernetesParts,
  { environment: name, snapshot }: From,
): Promise<Origin> {
  const found = name === undefined ? undefined : await sourceOf(platform, environment, name);
  const given = snapshot === undefined ? undefined : await snapshotOf(platform, snapshot);
  const { live, colours } = environment;
  const [major, declared] = [found?.major ?? given?.major, colours[live]?.postgres];
  if (major !== undefined && major !== declared)
    throw differs(
      `${name ?? `The VolumeSnapshot ${String(snapshot)}`} has PostgreSQL ${major}, colours.${live} declares ${String(declared)}`,
      `declare colours.${live}.postgres: ${major}; a release can go to a later one.`,
    );
  if (found) return { source: found };
  return { snapshot: snapshot ?? '' };
}

/** A VolumeSnapshot that somebody made; what it says of itself, where it was made by Verdigris. */
async function snapshotOf({ cluster }: KubernetesParts, name: string): Promise<{ major: number | undefined }> {
  const content = await snapshotContent(cluster, name);
  if (!content)
    throw differs(
      `There is no VolumeSnapshot ${cluster.namespace}/${name}`,
      'make it, or name one that is there: a snapshot serves claims of its own namespace only ' +
        '(docs/kubernetes.md says how one of another namespace comes here).',
    );
  if (!content.ready)
    throw differs(
      `The VolumeSnapshot ${cluster.namespace}/${name} is not ready to use${content.error === undefined ? '' : `: ${content.error}`}`,
      'wait until `kubectl get volumesnapshot` shows it as ready, or see `kubectl describe volumesnapshot` for what keeps it; then run the same command again.',
    );
  return content;
}

/** The live colour of another environment of the namespace, by its journal. */
async function sourceOf({ cluster }: KubernetesParts, environment: Environment, name: string): Promise<SnapshotSource> {
  if (environment.kubernetes.snapshots === 'backup')
    throw differs(
      'Snapshots of this driver are not of one instant (kubernetes.snapshots: backup)',
      'declare kubernetes.from.snapshot with a VolumeSnapshot of a server that was shut down, as a destroy leaves it.',
    );
  const named: Named = { ...environment, name };
  const stored = await new KubernetesJournal(cluster, named).read();
  if (!stored)
    throw differs(
      `There is no environment ${name} in the namespace ${cluster.namespace}`,
      'name one that is there. From another namespace: have whoever may write VolumeSnapshotContents make a ' +
        "VolumeSnapshot here of its snapshot's handle, and declare kubernetes.from.snapshot (docs/kubernetes.md).",
    );
  const { live } = parseJournal(stored.text, stored.where);
  const set = await cluster.read<ServerSet>('StatefulSet', objectNames.colour(name, live));
  if (set) {
    const { labels = {} } = set.metadata;
    return {
      colour: environment.live,
      major: Number(labels['app.kubernetes.io/version']),
      claim: objectNames.volume(name, live, Number(labels['verdigris.dev/generation'])),
      path: dataPath,
    };
  }
  const adopted = await new AdoptedServer(named, cluster).of(live);
  if (!adopted) throw differs(`The live colour of ${name} has no StatefulSet`, 'bring it up first.');
  return { colour: environment.live, major: adopted.major, claim: adopted.claim, path: adopted.path };
}

export function differs(seen: string, next: string): VerdigrisError {
  return new VerdigrisError('origin-unfit', {
    seen: `${seen}.`,
    required: 'an original that fits the declaration.',
    next,
  });
}
