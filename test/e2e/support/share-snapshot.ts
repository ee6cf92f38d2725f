import { waitFor } from '../../../src/model/wait.ts';
import type { Stored } from '../../../src/platform/kubernetes/cluster.ts';
import { Transport } from '../../../src/platform/kubernetes/http.ts';
import { administrator, type TestNamespace } from './namespace.ts';

interface Content {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly driver: string; readonly volumeSnapshotClassName: string };
  readonly status?: { readonly snapshotHandle?: string };
}

const contents = '/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents';

/**
 * What an administrator does to have a VolumeSnapshot of one namespace in another: a VolumeSnapshotContent with its
 * handle, and a VolumeSnapshot that names it. A storage that gives no handles, as the test cluster's stand-in, has no
 * use for a second content: there the VolumeSnapshot names the first one.
 */
export async function shareSnapshot(
  from: TestNamespace,
  snapshot: string,
  to: TestNamespace,
  name: string,
): Promise<{ remove: () => Promise<void> }> {
  const transport = new Transport(administrator());
  const taken = await from.admin.read<Stored & { status: { boundVolumeSnapshotContentName: string } }>(
    'VolumeSnapshot',
    snapshot,
  );
  const { body } = await transport.send('GET', `${contents}/${taken?.status.boundVolumeSnapshotContentName ?? ''}`);
  const content = body as Content;
  const { driver, volumeSnapshotClassName } = content.spec;
  const snapshotHandle = content.status?.snapshotHandle;
  const own = `${name}-${to.name}`;
  if (snapshotHandle !== undefined)
    await transport.send('POST', contents, {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotContent',
      metadata: { name: own },
      spec: {
        driver,
        volumeSnapshotClassName,
        deletionPolicy: 'Retain',
        source: { snapshotHandle },
        volumeSnapshotRef: { namespace: to.name, name },
      },
    });
  await to.admin.create({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace: to.name },
    spec: {
      volumeSnapshotClassName,
      source: { volumeSnapshotContentName: snapshotHandle === undefined ? content.metadata.name : own },
    },
  });
  await waitFor(
    async () =>
      (await to.admin.read<Stored & { status?: { readyToUse?: boolean } }>('VolumeSnapshot', name))?.status
        ?.readyToUse || undefined,
    { limit: 60_000, what: 'the snapshot', next: 'see the driver' },
  );
  return {
    remove: async () => {
      if (snapshotHandle !== undefined) await transport.send('DELETE', `${contents}/${own}`);
      transport.close();
    },
  };
}
