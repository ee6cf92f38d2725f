import { createHash } from 'node:crypto';
import type { Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { operatorRole } from '../model/names.ts';
import { certificateSecret } from './certificates.ts';
import { headlessService } from './headless-service.ts';
import type { Manifest } from './manifest.ts';
import { colourSelector, domain, labelValue, metadata, objectNames } from './names.ts';
import { containerSecurity, resources, securityOf } from './security.ts';
import { dataMount, hbaFile, parkedFile, settingsFile, startScript, tlsMount } from './settings.ts';

/** One life of a colour: what is to run, on which volume. */
export interface ColourLife {
  readonly colour: Colour;
  readonly generation: number;
  readonly major: number;
  /** The release that this life was made for; any text. */
  readonly release: string;
  /** First boot from a snapshot: a standby with nothing to follow. */
  readonly parked: boolean;
  /** Uid of its claim. Marks of a first boot are on the volume, and are copied with it: by this they are its own. */
  readonly volume?: string;
  /**
   * First boot from a snapshot of another environment: closed to everybody, and with our own password, before it
   * listens.
   */
  readonly provisioned?: true;
  /** Of the data directory on the restored volume, where it is another than ours; empty where its root is it. */
  readonly path?: string;
  /**
   * First boot from a snapshot in backup mode: its backup_label, and where the data directory is on the claim with the
   * log after it.
   */
  readonly backup?: { readonly label: string; readonly path: string };
  readonly replicas?: 0 | 1;
}

type Declared = Pick<Environment, 'name' | 'database' | 'limits' | 'kubernetes'>;

/**
 * As a role that is asked for a password also where all others are refused: each refusal would be a line of the log.
 */
const ready = ['pg_isready', '-q', '-h', '127.0.0.1', '-U', operatorRole];

const logMount = '/var/lib/postgresql/log';
/** Of the data directory on a volume of ours. */
export const dataPath = 'pgdata';
/** Below the mount, because a volume's root may hold lost+found. */
export const dataDirectoryPath = `${dataMount}/${dataPath}`;

export function postgresImage({ kubernetes }: Pick<Environment, 'kubernetes'>, major: number): string {
  return kubernetes.images.postgres[String(major)] ?? `postgres:${major}`;
}

function labels({ colour, generation, major, release }: ColourLife): Record<string, string> {
  return {
    'app.kubernetes.io/version': String(major),
    [`${domain}/colour`]: colour,
    [`${domain}/generation`]: String(generation),
    [`${domain}/release`]: labelValue(release),
  };
}

/** In a Secret, not because it is secret: the server runs and believes it, and who may change a ConfigMap may do neither. */
export function colourConfig(environment: Declared, life: ColourLife): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'database', objectNames.colour(environment.name, life.colour), {
      [`${domain}/colour`]: life.colour,
    }),
    type: 'Opaque',
    stringData: {
      settings: settingsFile(environment, life.colour),
      parked: parkedFile,
      'pg_hba.conf': hbaFile(environment),
      'start.sh': startScript,
    },
  };
}

export function colourService(environment: Declared, colour: Colour): Manifest {
  return headlessService(environment, colour, colourSelector(environment, colour));
}

/**
 * The server. Its volume is named in the pod and not a template of the set: a template cannot be changed without
 * replacing the set. The digest of its configuration is in the pod, so that a change rolls this colour and no other.
 */
export function colourServer(environment: Declared, life: ColourLife): Manifest {
  const { colour, generation, major, parked } = life;
  const { tls } = environment.kubernetes;
  const name = objectNames.colour(environment.name, colour);
  const all = labels(life);
  const alive = { exec: { command: ['bash', '-c', `${ready.join(' ')}; test $? -ne 2`] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(environment, 'database', name, all, {
      [`${domain}/release`]: life.release,
      [`${domain}/parked`]: String(parked),
      [`${domain}/provisioned`]: String(life.provisioned !== undefined),
    }),
    spec: {
      serviceName: name,
      replicas: life.replicas ?? 1,
      selector: { matchLabels: colourSelector(environment, colour) },
      // With OrderedReady a pod that never became ready is not replaced by its fixed template.
      podManagementPolicy: 'Parallel',
      revisionHistoryLimit: 3,
      template: {
        metadata: {
          // A sidecar in front of the database would stand between the colours' replication as well; clients have
          // theirs.
          labels: { ...metadata(environment, 'database', name, all).labels, 'sidecar.istio.io/inject': 'false' },
          annotations: { [`${domain}/configuration`]: digest(colourConfig(environment, life)) },
        },
        spec: {
          automountServiceAccountToken: false,
          securityContext: securityOf(environment.kubernetes.user),
          terminationGracePeriodSeconds: 120,
          containers: [
            {
              name: 'postgresql',
              image: postgresImage(environment, major),
              imagePullPolicy: 'IfNotPresent',
              command: ['bash', '/etc/verdigris/start.sh'],
              // Its last words, for whoever may not read logs.
              terminationMessagePolicy: 'FallbackToLogsOnError',
              ports: [{ name: 'postgresql', containerPort: 5432, protocol: 'TCP' }],
              env: [
                { name: 'PGDATA', value: dataDirectoryPath },
                { name: 'POSTGRES_USER', value: operatorRole },
                { name: 'POSTGRES_DB', value: 'postgres' },
                { name: 'POSTGRES_INITDB_ARGS', value: '--encoding=UTF8 --locale=C.UTF-8 --data-checksums' },
                {
                  name: 'POSTGRES_PASSWORD',
                  valueFrom: { secretKeyRef: { name: objectNames.operatorSecret(environment.name), key: 'password' } },
                },
                ...(parked ? [{ name: 'VERDIGRIS_PARKED', value: life.volume ?? String(generation) }] : []),
                ...(life.provisioned === undefined
                  ? []
                  : [{ name: 'VERDIGRIS_PROVISIONED', value: life.volume ?? String(generation) }]),
                ...(life.backup === undefined
                  ? []
                  : [
                      { name: 'VERDIGRIS_BACKUP_LABEL', value: life.backup.label },
                      { name: 'VERDIGRIS_LOG', value: `${logMount}/${life.backup.path}/pg_wal` },
                    ]),
                ...(life.path === undefined ? [] : [{ name: 'VERDIGRIS_DATA_PATH', value: life.path }]),
              ],
              securityContext: containerSecurity,
              resources: resources(environment.kubernetes.resources),
              // Recovery may take long, and answers "rejecting connections" meanwhile: only a server that does not
              // answer at all is dead.
              startupProbe: { ...alive, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 600 },
              livenessProbe: { ...alive, periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 6 },
              readinessProbe: {
                exec: { command: ready },
                periodSeconds: 3,
                timeoutSeconds: 5,
                failureThreshold: 3,
              },
              // The signal that kubelet sends would wait for every client to leave.
              lifecycle: {
                preStop: { exec: { command: ['bash', '-c', 'pg_ctl stop -D "$PGDATA" -m fast -w -t 110'] } },
              },
              volumeMounts: [
                { name: 'data', mountPath: dataMount },
                ...(life.backup === undefined ? [] : [{ name: 'log', mountPath: logMount, readOnly: true }]),
                { name: 'configuration', mountPath: '/etc/verdigris', readOnly: true },
                ...(tls ? [{ name: 'tls', mountPath: tlsMount, readOnly: true }] : []),
                { name: 'run', mountPath: '/var/run/postgresql' },
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
            ...(life.backup === undefined
              ? []
              : [
                  {
                    name: 'log',
                    persistentVolumeClaim: { claimName: objectNames.log(environment.name, colour, generation) },
                  },
                ]),
            { name: 'configuration', secret: { secretName: name } },
            // Owned by root and readable for the group: as private as PostgreSQL asks of a key.
            ...(tls
              ? [{ name: 'tls', secret: { secretName: certificateSecret(environment), defaultMode: 0o440 } }]
              : []),
            { name: 'run', emptyDir: {} },
            { name: 'tmp', emptyDir: {} },
            // Parallel queries share memory here; a container's own /dev/shm has 64 MiB.
            { name: 'shm', emptyDir: { medium: 'Memory' } },
          ],
        },
      },
    },
  };
}

function digest(config: Manifest): string {
  return createHash('sha256').update(JSON.stringify(config['stringData'])).digest('hex').slice(0, 16);
}

/** A drain of the node waits until somebody decides: ending the only server of a colour is never a matter of course. */
export function colourBudget(environment: Declared, colour: Colour): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(environment, 'database', objectNames.colour(environment.name, colour), {
      [`${domain}/colour`]: colour,
    }),
    spec: { maxUnavailable: 0, selector: { matchLabels: colourSelector(environment, colour) } },
  };
}
