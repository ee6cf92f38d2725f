import { createHash } from 'node:crypto';
import type { JobDeclaration } from '../model/job.ts';
import { metadata, type Named } from './names.ts';
import { containerSecurity, podSecurity, resources } from './security.ts';
import type { Manifest } from './manifest.ts';

/** Seconds for which an ended Job stays to be looked at. */
const kept = 3_600;

/** The same for the same `id`: whoever asks again waits for the one that runs. */
export function declaredJobName({ name }: Named, id: string): string {
  return `${name}-job-${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
}

/**
 * A Job of the project's, once: what it exits with is its answer. `env` is its environment; `limit` in milliseconds.
 */
export function declaredJob(
  environment: Named,
  id: string,
  { image, command, serviceAccount, envFrom }: JobDeclaration,
  env: Readonly<Record<string, string>>,
  limit: number,
): Manifest {
  const own = metadata(environment, 'job', declaredJobName(environment, id));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: own,
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: Math.max(1, Math.ceil(limit / 1_000)),
      ttlSecondsAfterFinished: kept,
      template: {
        metadata: { labels: { ...own.labels, 'sidecar.istio.io/inject': 'false' } },
        spec: {
          restartPolicy: 'Never',
          ...(serviceAccount === undefined
            ? { automountServiceAccountToken: false }
            : { serviceAccountName: serviceAccount }),
          securityContext: podSecurity,
          containers: [
            {
              name: 'job',
              image,
              imagePullPolicy: 'IfNotPresent',
              command,
              env: Object.entries(env).map(([name, value]) => ({ name, value })),
              ...(envFrom === undefined ? {} : { envFrom: [{ secretRef: { name: envFrom } }] }),
              // What it said is read from the pod: the operator may not read logs.
              terminationMessagePolicy: 'FallbackToLogsOnError',
              securityContext: containerSecurity,
              resources: resources({ cpu: '10m', memory: '64Mi' }),
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  };
}
