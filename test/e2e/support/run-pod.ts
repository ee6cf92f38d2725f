import { execa } from 'execa';
import { containerSecurity, podSecurity } from '../../../src/manifests/security.ts';
import { objectNames } from '../../../src/manifests/names.ts';
import type { Stored } from '../../../src/platform/kubernetes/cluster.ts';
import type { ClusterEnvironment } from './environment.ts';
import { productImage } from './image.ts';
import { until } from '../../support/until.ts';

type RunPod = Stored & {
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly state?: { readonly terminated?: { readonly exitCode: number } };
    }[];
  };
};

/** A user that no image has an entry for, as some clusters give one to each namespace. */
const nobody = 20_000;

/**
 * Runs the command line in a pod of the environment's namespace, by the operator's service account, and waits for its
 * end.
 */
export async function runInPod(
  { namespace: { admin }, environment }: ClusterEnvironment,
  name: string,
  args: readonly string[],
): Promise<{ exitCode: number; output: string }> {
  await admin.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      serviceAccountName: 'verdigris',
      restartPolicy: 'Never',
      securityContext: { ...podSecurity, runAsUser: nobody, runAsGroup: nobody },
      containers: [
        {
          name: 'operator',
          image: await productImage(),
          imagePullPolicy: 'IfNotPresent',
          args: [...args, '--file', '/etc/verdigris/declaration.json', '--json'],
          securityContext: containerSecurity,
          volumeMounts: [
            { name: 'declaration', mountPath: '/etc/verdigris', readOnly: true },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'declaration', configMap: { name: objectNames.declaration(environment.name) } },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  });
  const ended = await until(
    `the end of pod ${name}`,
    async () => {
      const pod = await admin.read<RunPod>('Pod', name);
      return pod?.status?.phase === 'Succeeded' || pod?.status?.phase === 'Failed' ? pod : undefined;
    },
    300_000,
  );
  const { stdout } = await execa('kubectl', ['logs', '--namespace', admin.namespace, name]);
  return { exitCode: ended.status?.containerStatuses?.[0]?.state?.terminated?.exitCode ?? -1, output: stdout };
}
