import { sealSecret } from '../../manifests/seal.ts';
import { objectNames, type Named } from '../../manifests/names.ts';
import { digestOf } from '../../machine/sealed.ts';
import type { Cluster, Stored } from './cluster.ts';

type SealSecret = Stored & { readonly data?: Readonly<Record<string, string>> };

/** Digests by file, the newest first; undefined where no seal was ever made. */
export async function readSeal(
  cluster: Cluster,
  name: string,
): Promise<Readonly<Record<string, readonly string[]>> | undefined> {
  const found = await cluster.read<SealSecret>('Secret', objectNames.seal(name));
  if (!found) return undefined;
  return Object.fromEntries(
    Object.entries(found.data ?? {}).map(([file, digests]) => [
      file,
      Buffer.from(digests, 'base64').toString('utf8').split(' '),
    ]),
  );
}

/**
 * Seals files before they are written: what was sealed before stays good beside it, since a pod has one of the two
 * earlier than the other.
 */
export async function sealFiles(
  cluster: Cluster,
  environment: Named,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  const before = (await readSeal(cluster, environment.name)) ?? {};
  const sealed = Object.fromEntries(
    Object.entries(files).map(([file, content]) => {
      const digest = digestOf(content);
      const last = (before[file] ?? []).find((each) => each !== digest);
      return [file, [digest, ...(last === undefined ? [] : [last])].join(' ')];
    }),
  );
  const kept = Object.fromEntries(Object.entries(before).map(([file, digests]) => [file, digests.join(' ')]));
  await cluster.apply(sealSecret(environment, { ...kept, ...sealed }));
}
