import { createHash } from 'node:crypto';
import type { Environment } from '../model/environment.ts';
import { certificateSecret, poolerTlsMount, reloadOnRenewal } from './certificates.ts';
import { guardContainer, guardVolumes, type Guard } from './guard-container.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames, selectorLabels } from './names.ts';
import { poolerSettings } from './pooler-settings.ts';
import { containerSecurity, podSecurity, resources } from './security.ts';

type Declared = Pick<Environment, 'name' | 'database' | 'kubernetes'>;

/** In a Secret: it says whom the poolers let in, and who may change a ConfigMap may not say that. */
export function poolerConfig(environment: Declared): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'pooler', objectNames.poolerSettings(environment.name)),
    type: 'Opaque',
    stringData: { 'pgbouncer.ini': poolerSettings(environment) },
  };
}

export function poolerDeployment(environment: Declared, guard?: Guard): Manifest {
  const {
    name,
    kubernetes: { images, pooler, tls },
  } = environment;
  const own = objectNames.pooler(name);
  const tcp = { tcpSocket: { port: 'pgbouncer' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(environment, 'pooler', own),
    spec: {
      replicas: pooler.replicas,
      selector: { matchLabels: selectorLabels(environment, 'pooler') },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: {
          labels: metadata(environment, 'pooler', own).labels,
          annotations: {
            [`${domain}/configuration`]: createHash('sha256')
              .update(poolerSettings(environment))
              .digest('hex')
              .slice(0, 16),
          },
        },
        spec: {
          ...(guard ? { serviceAccountName: guard.serviceAccount } : {}),
          // The guard has its own; what clients reach has none.
          automountServiceAccountToken: false,
          securityContext: podSecurity,
          terminationGracePeriodSeconds: poolerGrace,
          containers: [
            {
              name: 'pgbouncer',
              image: images.pooler ?? '',
              imagePullPolicy: 'IfNotPresent',
              command: tls ? ['sh', '-c', watched] : ['pgbouncer', poolerFile],
              terminationMessagePolicy: 'FallbackToLogsOnError',
              ports: [{ name: 'pgbouncer', containerPort: 6432, protocol: 'TCP' }],
              securityContext: containerSecurity,
              resources: resources(pooler.resources),
              // Nobody is sent here any more by then; SIGINT ends it once no client is in a transaction, SIGTERM would
              // wait for all to leave.
              lifecycle: { preStop: { exec: { command: ['sh', '-c', 'sleep 5; kill -INT 1; sleep 15'] } } },
              readinessProbe: { ...tcp, periodSeconds: 2 },
              livenessProbe: { ...tcp, periodSeconds: 10, failureThreshold: 6 },
              volumeMounts: [
                { name: 'configuration', mountPath: '/etc/pgbouncer', readOnly: true },
                { name: 'users', mountPath: '/etc/pgbouncer-users', readOnly: true },
                ...(tls ? [{ name: 'tls', mountPath: poolerTlsMount, readOnly: true }] : []),
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
            ...(guard ? [guardContainer(guard, environment)] : []),
          ],
          volumes: [
            { name: 'configuration', secret: { secretName: objectNames.poolerSettings(name), defaultMode: 0o440 } },
            { name: 'users', secret: { secretName: own, defaultMode: 0o440 } },
            { name: 'tmp', emptyDir: {} },
            ...(tls
              ? [{ name: 'tls', secret: { secretName: certificateSecret(environment), defaultMode: 0o440 } }]
              : []),
            ...(guard ? guardVolumes(guard, environment) : []),
          ],
        },
      },
    },
  };
}

const poolerFile = '/etc/pgbouncer/pgbouncer.ini';
/** PgBouncer as process 1, and beside it what has it read a renewed certificate; clients and servers stay connected. */
const watched = `${reloadOnRenewal(poolerTlsMount, 'kill -HUP 1')}\nexec pgbouncer ${poolerFile}`;

/** Seconds in which a pooler that is being ended lets its clients' transactions come to their end. */
export const poolerGrace = 30;

export function poolerService(environment: Declared): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(environment, 'pooler', objectNames.pooler(environment.name)),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(environment, 'pooler'),
      ports: [{ name: 'tcp-postgresql', port: 5432, targetPort: 'pgbouncer', protocol: 'TCP' }],
    },
  };
}

/**
 * Every replica by its own address, for the guards: a mesh encrypts what goes to a pod only where a Service leads to
 * it. No client uses it.
 */
export function poolersService(environment: Declared): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(environment, 'pooler', objectNames.poolers(environment.name)),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorLabels(environment, 'pooler'),
      ports: [{ name: 'tcp-pgbouncer', port: 6432, targetPort: 'pgbouncer', protocol: 'TCP' }],
    },
  };
}

export function poolerBudget(environment: Declared): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(environment, 'pooler', objectNames.pooler(environment.name)),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(environment, 'pooler') } },
  };
}
