import type { Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { operatorRole } from '../model/names.ts';
import { dataDirectoryPath } from './colour.ts';
import { dataMount } from './settings.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames } from './names.ts';
import { containerSecurity, resources, securityOf } from './security.ts';
import { upgradeScript } from './upgrade-script.ts';

export interface MajorUpgrade {
  readonly colour: Colour;
  readonly generation: number;
  readonly from: number;
  readonly to: number;
}

/**
 * pg_upgrade on the volume of a colour that is stopped. Its pod has none of the labels by which servers are chosen:
 * nothing routes to it.
 */
export function upgradeJob(
  environment: Pick<Environment, 'name' | 'limits' | 'kubernetes'>,
  image: string,
  { colour, generation, from, to }: MajorUpgrade,
): Manifest {
  const name = objectNames.upgrade(environment.name, colour, generation);
  const labels = { [`${domain}/colour`]: colour, [`${domain}/generation`]: String(generation) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(environment, 'upgrade', name, labels),
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: Math.ceil(environment.limits.upgrade / 1_000),
      template: {
        metadata: {
          labels: { ...metadata(environment, 'upgrade', name, labels).labels, 'sidecar.istio.io/inject': 'false' },
        },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          securityContext: securityOf(environment.kubernetes.user),
          containers: [
            {
              name: 'pg-upgrade',
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['bash', '-c', upgradeScript],
              env: Object.entries({
                PGDATA: dataDirectoryPath,
                VERDIGRIS_FROM: String(from),
                VERDIGRIS_TO: String(to),
                VERDIGRIS_OPERATOR: operatorRole,
              }).map(([key, value]) => ({ name: key, value })),
              // What it could not do is read from the pod: the operator may not read logs.
              terminationMessagePolicy: 'FallbackToLogsOnError',
              securityContext: containerSecurity,
              resources: resources(environment.kubernetes.resources),
              volumeMounts: [
                { name: 'data', mountPath: dataMount },
                { name: 'configuration', mountPath: '/etc/verdigris', readOnly: true },
                { name: 'tmp', mountPath: '/tmp' },
                { name: 'shm', mountPath: '/dev/shm' },
              ],
            },
          ],
          volumes: [
            {
              name: 'data',
              persistentVolumeClaim: { claimName: objectNames.volume(environment.name, colour, generation) },
            },
            { name: 'configuration', secret: { secretName: objectNames.colour(environment.name, colour) } },
            { name: 'tmp', emptyDir: {} },
            { name: 'shm', emptyDir: { medium: 'Memory' } },
          ],
        },
      },
    },
  };
}
