import type { Environment } from '../model/environment.ts';
import { commandContainer } from './command-line.ts';
import { declarationVolume } from './declaration.ts';
import { sealVolume } from './seal.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames, selectorLabels } from './names.ts';
import { operatorLabel } from './network.ts';
import { drillRules, eventReading, serviceRole } from './rbac.ts';
import { podSecurity, resources } from './security.ts';

/**
 * Controllers of releases that walk by themselves; nothing where none is declared. There are two, and neither is the
 * first: each act is done by whoever takes the environment's Lease for it, under its fencing token, so that a node that
 * dies is no reason to wait.
 */
export function deliveryManifests(environment: Environment): Manifest[] {
  const {
    name,
    delivery,
    kubernetes: { images },
  } = environment;
  if (!delivery.controller || images.verdigris === undefined) return [];
  const own = objectNames.delivery(name);
  const selector = selectorLabels(environment, 'delivery');
  return [
    // What a drill makes and removes of a candidate is what a release does.
    ...serviceRole(environment, own, [...drillRules, eventReading], 'delivery'),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(environment, 'delivery', own),
      spec: {
        replicas: 2,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            // What it measures may be anywhere: it has no policy of its own, and comes to the servers as an operator
            // does.
            labels: {
              ...metadata(environment, 'delivery', own).labels,
              ...operatorLabel,
              'sidecar.istio.io/inject': 'false',
            },
          },
          spec: {
            serviceAccountName: own,
            securityContext: podSecurity,
            // A verb that is under way is undone, or brought to its end, before the pod goes.
            terminationGracePeriodSeconds: 300,
            containers: [
              commandContainer('delivery', images.verdigris, {
                command: ['release', '--follow', '--forever'],
                options: ['--json'],
                resources: resources({ cpu: '50m', memory: '256Mi' }),
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
  ];
}
