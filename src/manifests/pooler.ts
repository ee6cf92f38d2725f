import { sealEnv, sealMount, sealVolume } from './seal.ts';
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Environment } from '../model/environment.ts';
import { authorityMount, certificateSecret, plainRefused, poolerTlsMount, reloadOnRenewal } from './certificates.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames, selectorLabels } from './names.ts';
import { containerSecurity, podSecurity, resources } from './security.ts';

type Declared = Pick<Environment, 'name' | 'database' | 'kubernetes'>;

/** User of the admin console; no role of the database. */
export const consoleUser = 'verdigris_console';
/** By this name readers get the database through the readers' Service, and with it the canary. */
export function readersDatabase(database: string): string {
  return `${database}_ro`;
}
/** Never paused: by them the operator asks, along the clients' own paths of writes and of reads, who answers. */
export const probeDatabases = ['verdigris_probe', 'verdigris_probe_ro'] as const;

/** pgbouncer.ini. What a switchover rests on is said beside it. */
export function poolerSettings(environment: Declared): string {
  const {
    name,
    database,
    kubernetes: { namespace, pooler },
  } = environment;
  const target = (service: string): string =>
    `host=${service}.${namespace}.svc port=5432 dbname='${database.replaceAll("'", "''")}'`;
  return `[databases]
${key(database)} = ${target(objectNames.writes(name))}
${key(readersDatabase(database))} = ${target(objectNames.reads(name))}
${probeDatabases[0]} = ${target(objectNames.writes(name))} pool_mode=transaction pool_size=2
${probeDatabases[1]} = ${target(objectNames.reads(name))} pool_mode=transaction pool_size=2

[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /etc/pgbouncer-users/userlist.txt
admin_users = ${consoleUser}
pool_mode = ${pooler.mode}
default_pool_size = ${pooler.poolSize}
max_client_conn = ${pooler.maxClients}
max_prepared_statements = 200
# What else a connection string sets is refused: dropped, it would lead a client into another schema than it named.
ignore_startup_parameters = extra_float_digits
# A fenced colour refuses logins: the wait after such a refusal would be passed on to clients as errors once writes have moved.
server_login_retry = 0
# A client that is held waits; how long that may last is the business of whoever holds, not of this limit.
query_wait_timeout = 120
server_connect_timeout = 5
server_check_delay = 1
tcp_keepalive = 1
tcp_keepidle = 10
tcp_keepintvl = 5
tcp_keepcnt = 3
log_connections = 0
log_disconnections = 0
${tlsSettings(environment)}`;
}

/**
 * Between clients and poolers, and between poolers and servers: a server that has no certificate yet is taken as it is,
 * until plain text is refused.
 */
function tlsSettings(environment: Declared): string {
  if (!environment.kubernetes.tls) return '';
  const refused = plainRefused(environment);
  return `client_tls_sslmode = ${refused ? 'require' : 'allow'}
client_tls_cert_file = ${poolerTlsMount}/tls.crt
client_tls_key_file = ${poolerTlsMount}/tls.key
server_tls_sslmode = ${refused ? 'verify-full' : 'prefer'}
server_tls_ca_file = ${poolerTlsMount}/ca.crt
`;
}

/** Passwords in clear, in a Secret: the pooler must prove them to the server as well as ask clients for them. */
export function userList(credentials: Readonly<Record<string, string>>, console: string): string {
  return Object.entries({ ...credentials, [consoleUser]: console })
    .map(([role, password]) => `${userLine(role, password)}\n`)
    .join('');
}

export function userLine(role: string, password: string): string {
  return `${quote(role)} ${quote(password)}`;
}

/** Of the poolers' Secret. */
export const userListKey = 'userlist.txt';

/** A key is quoted only where it must be: not every version of PgBouncer takes quotes here. */
function key(database: string): string {
  return /^[\w.-]+$/.test(database) ? database : quote(database);
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

export function poolerConfig(environment: Declared): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(environment, 'pooler', objectNames.pooler(environment.name)),
    data: { 'pgbouncer.ini': poolerSettings(environment) },
  };
}

export function poolerSecret(environment: Declared, users: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'pooler', objectNames.pooler(environment.name)),
    type: 'Opaque',
    stringData: { [userListKey]: users },
  };
}

/** What the guard needs to recover by itself: the declaration, and a role of its own in the namespace. */
export interface Guard {
  readonly image: string;
  /** ConfigMap with the declaration, key `declaration.json`. */
  readonly declaration: string;
  readonly serviceAccount: string;
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
            ...(guard ? [guardContainer(guard, tls !== undefined)] : []),
          ],
          volumes: [
            { name: 'configuration', configMap: { name: own } },
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

export const guardContainerName = 'guard';
/** In the guard's container. */
export const consolePasswordFile = '/etc/verdigris-console/password';
const looked = { exec: { command: ['test', '-e', '/tmp/looked'] } };

/** Beside the pooler and not in the operator: what ends a hold when the operator is gone. */
function guardContainer(guard: Guard, tls: boolean): Record<string, unknown> {
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
      ...(tls ? [{ name: 'authority', mountPath: authorityMount, readOnly: true }] : []),
    ],
  };
}

/** In the guard's container alone: its token, as one is mounted by default, and what it compiled. */
function guardVolumes(guard: Guard, { name, kubernetes: { tls } }: Declared): Record<string, unknown>[] {
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 3_607 } };
  const authority = { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } };
  const namespace = {
    downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] },
  };
  return [
    { name: 'declaration', configMap: { name: guard.declaration } },
    sealVolume({ name }),
    { name: 'guard-token', projected: { defaultMode: 0o440, sources: [token, authority, namespace] } },
    // A file, since it follows a rotation, as a variable would not.
    {
      name: 'guard-console',
      secret: {
        secretName: objectNames.operatorSecret(name),
        defaultMode: 0o440,
        items: [{ key: 'console-password', path: path.basename(consolePasswordFile) }],
      },
    },
    { name: 'guard-tmp', emptyDir: {} },
    ...(tls ? [{ name: 'authority', configMap: { name: objectNames.authority(name) } }] : []),
  ];
}

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
