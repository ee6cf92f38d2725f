import { z } from 'zod';
import { patchesSchema, podsSchema, textsSchema } from './overlay.ts';
import { duration, size } from './units.ts';

/** Of a declaration that names none: the same word written out is no change. */
export const defaultNamespace = 'default';

const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a namespace has 1 to 63 of a-z, 0-9 and -');
const objectName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'not a name that Kubernetes allows');
/**
 * `latest`, and no tag at all, would let two pods of one colour run different software. A registry's port is no tag.
 */
const image = z
  .string()
  .regex(/^\S+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w][\w.-]*)$/, 'an image needs a tag other than latest, or a digest');
/** As Kubernetes writes them: `250m`, `1.5`, `512Mi`. */
const quantity = z.string().regex(/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/, 'a quantity such as "250m" or "512Mi"');

const resources = z.strictObject({
  cpu: quantity.default('100m'),
  memory: quantity.default('256Mi'),
  cpuLimit: quantity.optional(),
  memoryLimit: quantity.optional(),
});

const secretKey = z.string().min(1).default('password');

/** What only the platform `kubernetes` needs. Names of what it makes begin with the environment's name. */
export const kubernetesSchema = z
  .strictObject({
    namespace: label.default(defaultNamespace),
    /** Context of the kubeconfig; the current one where none is named. Without meaning inside a cluster. */
    context: z.string().min(1).optional(),
    /** The cluster's defaults where they are not named. */
    storageClass: objectName.optional(),
    snapshotClass: objectName.optional(),
    /**
     * For snapshots that must outlive their object: of just before a switchover, and the last one of a destroy.
     * `snapshotClass` where none is named.
     */
    keptSnapshotClass: objectName.optional(),
    /**
     * What the driver's snapshots are: of one instant, or `backup`: copied piece by piece, and then taken in backup
     * mode with the log after it.
     */
    snapshots: z.enum(['atomic', 'backup']).default('atomic'),
    /** Size of a new volume; a restored one is at least as large as its snapshot. */
    storage: size
      .refine((bytes) => bytes >= 256 * 1024 ** 2, 'an empty cluster and its log need 256MiB at least')
      .default(10 * 1024 ** 3),
    images: z
      .strictObject({
        /** By major; `postgres:<major>` where none is named. The contract is that of the official image. */
        postgres: z.record(z.string().regex(/^\d+$/, 'a PostgreSQL major'), image).default({}),
        /**
         * Both majors' binaries, in the folders PGBINOLD and PGBINNEW of its environment: for a release to another
         * major.
         */
        upgrade: image.optional(),
        /** Has `pgbouncer` on its PATH, 1.21 or newer. */
        pooler: image.optional(),
        /** Verdigris itself, for the guard beside each pooler that ends a hold which nobody renews. */
        verdigris: image.optional(),
      })
      .prefault({}),
    resources: resources.prefault({}),
    /**
     * Whom the servers run as. The official images take any user; 999 is postgres in those of Debian, 70 in those of
     * Alpine.
     */
    user: z.int().min(1).default(999),
    /** Passwords of roles from Secrets that are there; the others are made. */
    passwords: z.record(z.string().min(1).max(63), z.strictObject({ secret: objectName, key: secretKey })).default({}),
    /** A server that exists, whoever's manifests made it: the first colour, taken over as it is. */
    adopt: z
      .strictObject({
        /** Its only pod is the server. */
        statefulSet: objectName,
        superuser: z.strictObject({
          user: z.string().min(1).max(63).default('postgres'),
          secret: objectName,
          key: secretKey,
        }),
        /**
         * A Service that clients use already. `live`: it follows the live colour; `pooler`: it leads to the poolers.
         * Left out, it stays as it is.
         */
        service: z.strictObject({ name: objectName, to: z.enum(['live', 'pooler']).default('live') }).optional(),
        /** What `retire` does to its StatefulSet and claim. */
        atRetire: z.enum(['keep', 'remove']).default('keep'),
      })
      .optional(),
    /** The first colour as a copy of what another environment of the namespace has, or of a VolumeSnapshot. */
    from: z
      .strictObject({
        environment: z.string().min(1).max(30).optional(),
        snapshot: objectName.optional(),
        /**
         * Runs on the copy before anybody may connect; `none` says that the copy may show all that the original shows.
         */
        mask: z.union([
          z.literal('none'),
          z.strictObject({ sql: z.string().min(1) }),
          z.strictObject({ command: z.array(z.string().min(1)).min(1) }),
        ]),
      })
      .refine(
        ({ environment, snapshot }) => (environment === undefined) !== (snapshot === undefined),
        'either environment or snapshot',
      )
      .optional(),
    /** TLS between all that speak PostgreSQL's protocol here, each certificate checked against its name. */
    tls: z
      .strictObject({
        /** With `tls.crt`, `tls.key` and `ca.crt`, as cert-manager makes it; else of an authority of our own. */
        secret: objectName.optional(),
        /** Connections without TLS. `allowed`: while clients and an earlier server have not moved to it yet. */
        plain: z.enum(['refused', 'allowed']).default('refused'),
      })
      .optional(),
    /** `hard` of a ResourceQuota for the namespace; none is made where nothing is named. */
    quota: z.record(z.string().regex(/^[a-z][a-z0-9./-]*$/, 'a resource that a quota can name'), quantity).default({}),
    /** Settings of PostgreSQL in both colours, over Verdigris's own but for those that a switchover rests on. */
    settings: z.record(z.string().regex(/^[a-z_][a-z0-9_.]*$/, 'a setting of PostgreSQL'), z.string()).default({}),
    pooler: z
      .strictObject({
        replicas: z.int().min(1).max(20).default(2),
        mode: z.enum(['transaction', 'session']).default('transaction'),
        /** Server connections per role and database, of one replica. */
        poolSize: z.int().min(1).default(20),
        maxClients: z.int().min(1).default(1_000),
        resources: resources.prefault({ cpu: '50m', memory: '64Mi' }),
      })
      .prefault({}),
    drill: z
      .strictObject({
        /** When drills run, as cron writes it; none where it is left out. */
        schedule: z
          .string()
          .regex(
            /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+( \S+){4})$/,
            'five fields as of cron, or @weekly and the like',
          )
          .optional(),
        /** Of the IANA database; the cluster's own where it is left out. */
        timeZone: z.string().min(1).optional(),
        /** A drill that takes longer is ended. */
        limit: duration.default(7_200_000),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        /** A pod that tells Prometheus. */
        enabled: z.boolean().default(false),
        /** Objects of the Prometheus operator, where the cluster has it. */
        serviceMonitor: z.boolean().default(false),
        rules: z.boolean().default(false),
      })
      .prefault({}),
    /** Laid over the pods, by component. */
    pods: podsSchema,
    /** Of every object, beside Verdigris's own. */
    labels: textsSchema,
    annotations: textsSchema,
    /** Of the objects, by kind and name, where no field is there for it. */
    patches: patchesSchema,
    /** Routes by VirtualService and DestinationRule beside the Services' selectors; the canary needs them. */
    istio: z.boolean().default(false),
  })
  .prefault({});

/** By this variable a process in a pod knows that what it is declared by is sealed, and the folder of the seals. */
export const sealVariable = 'VERDIGRIS_SEAL';
