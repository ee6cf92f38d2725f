import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { objectNames } from '../../../src/manifests/names.ts';
import { readersDatabase } from '../../../src/manifests/pooler-settings.ts';
import { containerSecurity, podSecurity } from '../../../src/manifests/security.ts';
import { withClients, type Exercise } from '../../../src/operations/proofs/exercise.ts';
import { isReady, type Pod } from '../../../src/platform/kubernetes/pods.ts';
import { waitFor } from '../../../src/model/wait.ts';
import type { ConnectionSettings } from '../../../src/postgres/connection.ts';
import type { Workload, WorkloadPlace } from '../../../src/workload/start.ts';
import type { ClusterEnvironment } from './environment.ts';
import { productImage } from './image.ts';

/** Clients in a pod: in the mesh or not, through the poolers or past them. */
export interface InCluster {
  readonly sidecar: boolean;
  readonly through: 'pooler' | 'service';
}

/** Makes a pod that does nothing, where clients can be started, and waits until it is ready. */
export async function clientPod(
  { namespace: { admin } }: ClusterEnvironment,
  name: string,
  sidecar: boolean,
): Promise<void> {
  await admin.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: admin.namespace, labels: { 'sidecar.istio.io/inject': String(sidecar) } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      // The mesh's own init container changes the pod's network, which the restricted standard does not allow: that is
      // its business.
      securityContext: sidecar ? { fsGroup: podSecurity.fsGroup } : podSecurity,
      containers: [
        {
          name: 'clients',
          image: await productImage(),
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', 'infinity'],
          securityContext: { ...containerSecurity, runAsUser: podSecurity.runAsUser },
          resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '512Mi' } },
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
        },
      ],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    },
  });
  let last: Pod | undefined;
  await waitFor(
    async () => {
      last = await admin.read<Pod>('Pod', name);
      return last && isReady(last) ? true : undefined;
    },
    { limit: 180_000, every: 200, what: `the clients' pod ${name}`, next: 'see kubectl describe pod' },
    () => JSON.stringify(last?.status),
  );
  const proxied = JSON.stringify(last?.spec).includes('istio-proxy');
  if (proxied !== sidecar) throw new Error(`pod ${name} has ${proxied ? 'a' : 'no'} sidecar`);
}

/** Words of kubectl that run a command in such a pod. */
export function inPod(
  namespace: string,
  pod: string,
  command: readonly string[],
  stdin = false,
): [string, ...string[]] {
  return ['kubectl', 'exec', ...(stdin ? ['-i'] : []), '-n', namespace, pod, '-c', 'clients', '--', ...command];
}

/** Runs the workload in a pod of its own while `use` works, and lets the oracle judge. */
export async function clientsInPod(
  test: ClusterEnvironment,
  { sidecar, through }: InCluster,
  use: (workload: Workload) => Promise<void>,
  options: { readonly rate?: number } = {},
): Promise<Exercise> {
  const {
    environment,
    platform,
    folder,
    commits,
    namespace: { name: namespace },
  } = test;
  const pod = `clients-${sidecar ? 'mesh' : 'plain'}-${through}`;
  await clientPod(test, pod, sidecar);
  const logFile = '/tmp/clients.log';
  const place: WorkloadPlace = {
    command: inPod(namespace, pod, ['node', '/verdigris/src/workload/main.ts'], true),
    logFile,
    async fetch(file) {
      const [program, ...args] = inPod(namespace, pod, ['cat', logFile]);
      await writeFile(file, (await execa(program, args, { stripFinalNewline: false, maxBuffer: 1024 ** 3 })).stdout);
    },
  };
  const as = async (user: string, reads: boolean): Promise<ConnectionSettings> => {
    const service =
      through === 'pooler'
        ? objectNames.pooler(environment.name)
        : (reads ? objectNames.reads : objectNames.writes)(environment.name);
    return {
      host: `${service}.${namespace}.svc`,
      port: 5432,
      user,
      password: await platform.secrets.role(user),
      database: through === 'pooler' && reads ? readersDatabase(environment.database) : environment.database,
    };
  };
  const [writer, reader] = [await as('shop_app', false), await as('shop_reader', true)];
  return withClients(
    environment,
    platform,
    { writer, reader, logFile: path.join(folder, `${pod}.log`), business: false, place, rate: 60, ...options },
    commits,
    use,
  );
}
