import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'not a name that Kubernetes allows');
const loose = z.record(z.string(), z.unknown());
const named = z.looseObject({ name });

/** Verdigris finds its objects by these, and tells by them what is whose. */
const ownKey =
  /^(verdigris\.dev\/|statefulset\.kubernetes\.io\/|app\.kubernetes\.io\/(name|instance|component|part-of|managed-by)$)/;
const texts = z.record(
  z.string().refine((key) => !ownKey.test(key), 'is one that Verdigris finds its objects by: choose another key'),
  z.string(),
);

const ownContainers = ['postgresql', 'pgbouncer', 'guard', 'pg-upgrade', 'drill', 'metrics'];
const ownVolumes = [
  ...['data', 'log', 'configuration', 'tls', 'run', 'tmp', 'shm'],
  ...['users', 'declaration', 'guard-token', 'guard-tmp'],
];

const sidecar = z
  .looseObject({
    name: name.refine((each) => !ownContainers.includes(each), 'is a container of Verdigris: choose another name'),
    image: z.string().min(1),
    volumeMounts: z.array(z.looseObject({ name, readOnly: z.boolean().optional() })).optional(),
  })
  .refine(
    ({ volumeMounts = [] }) => volumeMounts.every((mount) => mount.name !== 'data' || mount.readOnly === true),
    'mounts the volume data: only readOnly, for a second writer destroys a database',
  );

const quantities = z.record(z.string(), z.string());

/** What is laid over the pods of a component, under the names that a PodSpec has. */
const pod = z.strictObject({
  nodeSelector: z.record(z.string(), z.string()).optional().describe('Labels of the nodes that may run it.'),
  tolerations: z.array(loose).optional().describe("Added to the pod's tolerations."),
  affinity: loose.optional().describe('As in a PodSpec.'),
  topologySpreadConstraints: z.array(loose).optional().describe("Added to the pod's own."),
  priorityClassName: name.optional().describe('As in a PodSpec.'),
  imagePullSecrets: z.array(z.strictObject({ name })).optional().describe('Secrets of registries.'),
  labels: texts.optional().describe("Of the pod, beside Verdigris's own."),
  annotations: texts.optional().describe("Of the pod, beside Verdigris's own."),
  /** By container, over Verdigris's own. */
  resources: z
    .record(name, z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }))
    .optional()
    .describe("Requests and limits by container, over Verdigris's own."),
  sidecars: z.array(sidecar).optional().describe('Containers beside those of Verdigris.'),
  volumes: z
    .array(named.refine((each) => !ownVolumes.includes(each.name), 'is a volume of Verdigris: choose another name'))
    .optional()
    .describe('Volumes beside those of Verdigris.'),
});

/** Poolers, drills and metrics run as accounts of their own, by which they may do what they do. */
const podWithAccount = pod.extend({
  serviceAccountName: name.optional().describe('As in a PodSpec; its token is not mounted.'),
});

export const podsSchema = z
  .strictObject({
    /** Laid over all, beneath what their own key says. */
    all: pod.optional(),
    database: podWithAccount.optional(),
    upgrade: podWithAccount.optional(),
    pooler: pod.optional(),
    drill: pod.optional(),
    metrics: pod.optional(),
  })
  .default({});

export const textsSchema = texts.default({});

const operation = z.looseObject({
  op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
  path: z.string().startsWith('/'),
});

/** What no field is there for: a strategic merge, or a JSON patch (RFC 6902), of the objects of a kind. */
export const patchesSchema = z
  .array(
    z
      .strictObject({
        kind: z.string().min(1),
        /** All of the kind where none is named; `*` stands for any text. */
        name: z.string().min(1).optional(),
        merge: loose.optional(),
        json: z.array(operation).min(1).optional(),
      })
      .refine(({ merge, json }) => (merge === undefined) !== (json === undefined), 'either merge or json'),
  )
  .default([]);

export type PodOverlay = z.output<typeof podWithAccount>;
export type Patch = z.output<typeof patchesSchema>[number];
