import { z } from 'zod';
import { duration } from './units.ts';

/** Where a secret is read each time that it is needed: it is in no declaration, journal or log. */
export const secretSource = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ command: z.array(z.string().min(1)).min(1) }),
]);

export type SecretSource = z.output<typeof secretSource>;

const sslmodes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

const kubernetesName = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'a name as Kubernetes has it');

export const serverSchema = z.strictObject({
  /**
   * `local`: a process of this machine. `external`: a PostgreSQL that others run, by its address. `cnpg`: a Cluster of
   * CloudNativePG, by its name. `statefulset`: of the cluster.
   */
  kind: z.enum(['local', 'external', 'cnpg', 'statefulset']),
  /** Of `cnpg`: the name of the Cluster. */
  cluster: kubernetesName.optional(),
  /** Of `cnpg`: where the Cluster is. */
  namespace: kubernetesName.optional(),
  /** Of `cnpg`: one of the kubeconfig's contexts; the current one where none is named. */
  context: z.string().min(1).optional(),
  /** Of `cnpg`: which of its instances readers are sent to while a canary is under way. */
  canaryReads: z.enum(['primary', 'standbys']).optional(),
  /**
   * Of an external one: its name or address, as this machine and the other colour's server reach it. Not a pooler's. Of
   * a local one: an address of this machine at which it listens for the subscription of an external one.
   */
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535).optional(),
  /** A superuser there; Verdigris makes its own role by it. Or `verdigris_operator`, where somebody has made that. */
  user: z.string().min(1).optional(),
  password: secretSource.optional(),
  sslmode: z.enum(sslmodes).optional(),
  /** PEM file of the authorities that may have signed its certificate; else those that Node.js knows. */
  ca: z.string().min(1).optional(),
  /** Of an external one, with the router: standbys of it that readers are sent to while a canary is under way. */
  standbys: z
    .array(z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535).optional() }))
    .min(1)
    .optional(),
  /**
   * The same authorities as a file of the other colour's server, where others run that one: its subscription verifies
   * this server by it.
   */
  subscriberCa: z.string().min(1).optional(),
});

export type ServerDeclaration = z.output<typeof serverSchema>;

const pgbouncerSchema = z.strictObject({
  /** Where clients and this machine reach it, its admin console too. */
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(6432),
  /** Its configuration file that has the entries of the databases, as this machine reaches it; one that it includes will do. */
  config: z.string().min(1),
  sslmode: z.enum(sslmodes).optional(),
  ca: z.string().min(1).optional(),
});

export type PgBouncerDeclaration = z.output<typeof pgbouncerSchema>;

export const trafficSchema = z.strictObject({
  kind: z.enum(['router', 'routers', 'poolers', 'service', 'pgbouncer', 'command']),
  /** Of `service`: the name of the Service that clients connect to. */
  name: kubernetesName.optional(),
  /** Of `service` between servers outside of the cluster: where the Service is; a Cluster's own where one is a colour. */
  namespace: kubernetesName.optional(),
  /** Of `service`: one of the kubeconfig's contexts. */
  context: z.string().min(1).optional(),
  /** Of `service`: a name of Istio's, by which clients in the mesh come too. */
  serviceEntry: z
    .strictObject({
      host: z
        .string()
        .regex(
          /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
          'a name with its domain',
        ),
      /** What it is resolved to where Istio does not answer for names itself. */
      address: z.union([z.ipv4(), z.ipv6()]).optional(),
    })
    .optional(),
  /** Of `routers`, `command` and `pgbouncer`: where clients connect, for people; of `pgbouncer` the first one's, where none is named. */
  address: z
    .string()
    .regex(/^\S+:\d{1,5}$/, 'host:port')
    .optional(),
  /** Of `pgbouncer`: every PgBouncer that clients come through. */
  pgbouncers: z.array(pgbouncerSchema).min(1).optional(),
  /** Of `pgbouncer`: who may use their admin consoles (`admin_users`), and the password. */
  user: z.string().min(1).optional(),
  password: secretSource.optional(),
  /** Of `pgbouncer`: entries that lead clients to the live colour; the database's own where none is named. */
  databases: z.array(z.string().min(1)).min(1).optional(),
  /** Of `command`: the program of your own that moves clients, with its first arguments. */
  command: z.array(z.string().min(1)).min(1).optional(),
  /** Of `command`: how long one call may take. */
  limit: duration.optional(),
  /** Of `routers`: how long one serves on that cannot see which colour is live; its clients wait then. */
  trustFor: duration.pipe(z.number().min(2_000).max(60_000)).optional(),
  /** Of `routers`: how long they wait until they are refused. */
  holdFor: duration.optional(),
});

export type TrafficDeclaration = z.output<typeof trafficSchema>;
export const journalSchema = z.strictObject({
  kind: z.enum(['files', 'configmap', 'postgres']),
  /** Of `postgres`: a server that is neither colour, where the journal's tables are. */
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535).optional(),
  database: z.string().min(1).optional(),
  user: z.string().min(1).optional(),
  password: secretSource.optional(),
  sslmode: z.enum(sslmodes).optional(),
  ca: z.string().min(1).optional(),
});

/** What a platform puts together; its first of each is what the name of the platform alone stands for. */
export const kindsOf = {
  local: {
    server: ['local', 'external', 'cnpg'],
    traffic: ['router', 'routers', 'service', 'pgbouncer', 'command'],
    journal: ['files', 'postgres'],
  },
  kubernetes: { server: ['statefulset'], traffic: ['poolers'], journal: ['configmap'] },
} as const;

/** How a connection is encrypted: undeclared, as securely as can be. */
export function tlsOf({ sslmode = 'verify-full', ca }: Pick<ServerDeclaration, 'sslmode' | 'ca'>) {
  return sslmode === 'disable' ? {} : { tls: { mode: sslmode, ...(ca === undefined ? {} : { ca }) } };
}

/** Why a kind that exists does not go with the platform, and what does. */
export function unfit(platform: keyof typeof kindsOf, part: 'server' | 'traffic' | 'journal', kind: string): string {
  return `${kind} does not go with the platform ${platform}, which has ${kindsOf[platform][part].join(' or ')} (docs/platforms.md)`;
}
