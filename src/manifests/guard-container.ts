import path from 'node:path';
import type { Environment } from '../model/environment.ts';
import { authorityMounts, authorityVolumes } from './certificates.ts';
import { objectNames } from './names.ts';
import { sealEnv, sealMount, sealVolume } from './seal.ts';
import { containerSecurity, resources } from './security.ts';

/** What the guard needs to recover by itself: the declaration, and a role of its own in the namespace. */
export interface Guard {
  readonly image: string;
  /** ConfigMap with the declaration, key `declaration.json`. */
  readonly declaration: string;
  readonly serviceAccount: string;
}

export const guardContainerName = 'guard';
/** In the guard's container. */
export const consolePasswordFile = '/etc/verdigris-console/password';
const looked = { exec: { command: ['test', '-e', '/tmp/looked'] } };

/** Beside the pooler and not in the operator: what ends a hold when the operator is gone. */
export function guardContainer(guard: Guard, environment: Pick<Environment, 'kubernetes'>): Record<string, unknown> {
  return {
    name: guardContainerName,
    image: guard.image,
    imagePullPolicy: 'IfNotPresent',
    command: [
      'node',
      '/verdigris/src/platform/kubernetes/guard/main.ts',
      '/etc/verdigris/declaration.json',
      '/tmp/looked',
    ],
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'VERDIGRIS_HOME', value: '/tmp/verdigris' },
      sealEnv,
      // What recovers is loaded beforehand, again after one that was killed.
      { name: 'NODE_COMPILE_CACHE', value: '/tmp/compiled' },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    securityContext: containerSecurity,
    // Enough that a recovery is not starved on a busy node: clients wait for it.
    resources: resources({ cpu: '50m', memory: '160Mi', memoryLimit: '512Mi' }),
    // Ready once it has looked. What its first look writes stays: asked again often, the question would cost more than
    // the guard.
    startupProbe: { ...looked, periodSeconds: 2, failureThreshold: 150 },
    readinessProbe: { ...looked, periodSeconds: 60 },
    volumeMounts: [
      { name: 'declaration', mountPath: '/etc/verdigris', readOnly: true },
      sealMount,
      { name: 'guard-token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
      { name: 'guard-console', mountPath: path.dirname(consolePasswordFile), readOnly: true },
      { name: 'guard-tmp', mountPath: '/tmp' },
      ...authorityMounts(environment),
    ],
  };
}

/** In the guard's container alone: its token, as one is mounted by default, and what it compiled. */
export function guardVolumes(
  guard: Guard,
  environment: Pick<Environment, 'name' | 'kubernetes'>,
): Record<string, unknown>[] {
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 3_607 } };
  const authority = { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } };
  const namespace = {
    downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] },
  };
  return [
    { name: 'declaration', configMap: { name: guard.declaration } },
    sealVolume(environment),
    { name: 'guard-token', projected: { defaultMode: 0o440, sources: [token, authority, namespace] } },
    // A file, since it follows a rotation, as a variable would not.
    {
      name: 'guard-console',
      secret: {
        secretName: objectNames.operatorSecret(environment.name),
        defaultMode: 0o440,
        items: [{ key: 'console-password', path: path.basename(consolePasswordFile) }],
      },
    },
    { name: 'guard-tmp', emptyDir: {} },
    ...authorityVolumes(environment),
  ];
}
