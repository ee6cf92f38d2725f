import type { Environment } from '../model/environment.ts';
import { commandContainer } from './command-line.ts';
import { declarationVolume } from './declaration.ts';
import { sealVolume } from './seal.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames } from './names.ts';
import { drillRules, serviceRole } from './rbac.ts';
import { podSecurity, resources } from './security.ts';

/** A scheduled drill with its own, namespaced role; nothing where no schedule is declared. */
export function drillManifests(environment: Environment): Manifest[] {
  const {
    name,
    kubernetes: { images, drill },
  } = environment;
  if (drill.schedule === undefined || images.verdigris === undefined) return [];
  const own = objectNames.drill(name);
  return [
    ...serviceRole(environment, own, drillRules, 'drill'),
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metadata(environment, 'drill', own),
      spec: {
        schedule: drill.schedule,
        ...(drill.timeZone === undefined ? {} : { timeZone: drill.timeZone }),
        // The environment bears one candidate at a time.
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 600,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        jobTemplate: {
          spec: {
            // A drill that failed is looked at; the next one is the next on the schedule.
            backoffLimit: 0,
            activeDeadlineSeconds: Math.ceil(drill.limit / 1000),
            template: {
              metadata: {
                labels: { ...metadata(environment, 'drill', own).labels, 'sidecar.istio.io/inject': 'false' },
              },
              spec: {
                serviceAccountName: own,
                restartPolicy: 'Never',
                securityContext: podSecurity,
                // Cleaning up takes as long as removing volumes does.
                terminationGracePeriodSeconds: 300,
                containers: [
                  commandContainer('drill', images.verdigris, {
                    command: ['drill'],
                    options: ['--json'],
                    resources: resources({ cpu: '100m', memory: '256Mi' }),
                  }),
                ],
                volumes: [
                  declarationVolume('declaration', environment),
                  sealVolume(environment),
                  { name: 'tmp', emptyDir: {} },
                ],
              },
            },
          },
        },
      },
    },
  ];
}
