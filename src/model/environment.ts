import { count } from './count.ts';
import { z } from 'zod';
import { colours, other, type Colour } from './colours.ts';
import { deliverySchema } from './delivery.ts';
import { VerdigrisError } from './errors.ts';
import { flagsSchema } from './flags.ts';
import { flagStoresSchema } from './flag-stores.ts';
import { hooksSchema } from './hooks.ts';
import { kubernetesSchema } from './kubernetes.ts';
import { nearest } from './nearest.ts';
import { journalSchema, kindsOf, secretSource, serverSchema, trafficSchema, unfit } from './server-kinds.ts';
import { duration, size } from './units.ts';

/** Part of names of slots, folders, volumes and Kubernetes objects: what all of them allow. */
const name = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/,
    'a name has 1 to 30 of a-z, 0-9 and -, begins with a letter and does not end with -',
  );
const identifier = z
  .string()
  .min(1)
  .max(63)
  .refine((name) => Buffer.byteLength(name) <= 63, 'PostgreSQL keeps 63 bytes of a name, and this is longer');
const weight = z.int().min(0).max(100);

/** Tools whose files Verdigris runs itself, and plain SQL. */
const readByVerdigris = [
  'sql',
  'golang-migrate',
  'goose',
  'dbmate',
  'sql-migrate',
  'tern',
  'sqlx',
  'diesel',
  'refinery',
  'drizzle',
  'atlas',
  'supabase',
] as const;
const tableName = /^[^.,]+\.[^.,]+$/;
const wantedTable = 'a table with its schema: `public.my_migrations`';

const colourSchema = z.strictObject({
  /** The software's release whose schema this colour carries: any text, compared for equality only. */
  release: z.string().min(1).max(63),
  /** PostgreSQL major. */
  postgres: z
    .int()
    .min(12, 'is below 12, the oldest that Verdigris reads; servers that it runs are 15 or newer')
    .max(18),
  /** Where it runs; without it, as the platform has it. */
  server: serverSchema.optional(),
  /** Folder of the release's migrations, relative to the declaration; none where the schema does not change. */
  migrations: z.string().min(1).optional(),
  /** What runs them; without it, the folder's files decide. */
  engine: z
    .union([
      z.enum([...readByVerdigris, 'flyway', 'liquibase', 'prisma', 'node-pg-migrate']),
      z.strictObject({
        tool: z.enum(readByVerdigris),
        /**
         * Version of the last file that had run before anybody wrote that down; counts where no file is written down.
         */
        baseline: z.string().regex(/^\d/, 'the version of a file, as its name begins').optional(),
        /** Its table, where it is told to use another than its own: `schema.table`. */
        history: z.string().regex(tableName, wantedTable).optional(),
      }),
      z.strictObject({
        command: z.array(z.string().min(1)).min(1),
        /**
         * Tables in which it writes what it has run, where it is none of the tools that Verdigris knows:
         * `schema.table`.
         */
        history: z.array(z.string().regex(tableName, wantedTable)).optional(),
      }),
    ])
    .optional(),
  /**
   * Statements of its migrations may run on the live colour before the switchover, where their notes ask for it;
   * `abandon` does not take that back.
   */
  writesLive: z.boolean().optional(),
  /** Tests of this colour's software, run against the candidate's schema before the switchover. */
  test: z.array(z.string().min(1)).min(1).optional(),
});

const defaultRetainedWal = 4 * 1024 ** 3;

/** `retention.retained` where nothing is declared, in milliseconds. */
export const defaultRetention = 86_400_000;

const limitsSchema = z
  .strictObject({
    /** Creating the slot waits for transactions that are running; longer than this, it is given up. */
    slotCreation: duration.default(30_000),
    /** How long clients may be held until those in a transaction have finished. */
    pause: duration.default(2_000),
    /** The whole switchover, from the first held client to the commit point; then it reverts. */
    switchover: duration.default(10_000),
    /** Bytes of WAL that the candidate may be behind when the switchover begins. */
    lag: size.default(16 * 1024 ** 2),
    /** A transaction older than this blocks seeding and switching. */
    longTransaction: duration.default(60_000),
    /** WAL that a slot may retain on the live server before it is given up for lost. */
    retainedWal: size.default(defaultRetainedWal),
    /** Making a snapshot and restoring it. */
    snapshot: duration.default(3_600_000),
    /** Until a pod that no node has room for is given up. */
    pod: duration.default(300_000),
    /** Reading into the candidate's cache what the live colour uses most, before a switchover; 0 for none. */
    warm: duration.default(10_000),
    /** pg_upgrade on the candidate's volume, in a release to another major. */
    upgrade: duration.default(3_600_000),
    /** Until a new candidate has caught up with what was written since the snapshot. */
    catchUp: duration.default(600_000),
    /** lock_timeout of migrations. */
    migrationLock: duration.default(5_000),
    /** statement_timeout of migrations. */
    migrationStatement: duration.default(3_600_000),
    /** One release's tests. */
    test: duration.default(600_000),
  })
  .prefault({});

const environmentSchema = z.strictObject({
  name,
  platform: z.enum(['local', 'kubernetes']),
  /** What clients come in by; without it, as the platform has it. */
  traffic: trafficSchema.optional(),
  /** What the journal is written to; without it, as the platform has it. */
  journal: journalSchema.optional(),
  database: identifier,
  /** Other databases of the server that are knowingly left out: what is written to them is lost at a switchover. */
  ignoreDatabases: z.array(identifier).default([]),
  roles: z.strictObject({
    /** Roles that applications write with. They cannot log in to a candidate or a retained colour. */
    application: z.array(identifier).min(1),
    /** Roles that only read, by privilege. The canary sends a share of them to the candidate. */
    readers: z.array(identifier).default([]),
    /** Role that migrations run as; without it, the owner of the database or of its schema. */
    owner: identifier.optional(),
  }),
  colours: z.partialRecord(z.enum(colours), colourSchema),
  live: z.enum(colours),
  /** Per cent of the readers' connections that go to the candidate: 0 is no canary. */
  canary: weight.default(0),
  limits: limitsSchema,
  /** How rows come to a candidate where no copy of the live server's storage can be had. */
  seed: z
    .strictObject({
      /** From one snapshot, many tables at a time; or table by table, by PostgreSQL's own synchronisation. */
      method: z.enum(['snapshot', 'tables']).default('snapshot'),
      /** Sessions of each server that copy at a time. */
      workers: z.int().min(1).max(64).default(4),
      /** Others' statements under way on the live server above which the next piece of the copy waits. */
      busy: z.int().min(1).default(8),
    })
    .prefault({}),
  fence: z
    .strictObject({
      /**
       * Roles that no right of Verdigris's keeps out, and that are known to write nothing in this database: a
       * provider's own.
       */
      accept: z.array(identifier).default([]),
    })
    .prefault({}),
  /** How a release walks by itself. */
  delivery: deliverySchema.prefault({}),
  /** `required` refuses migrations after which a row can end the lossless rollback; `allowed` says so and goes on. */
  rollback: z.enum(['allowed', 'required']).default('allowed'),
  /** Flags of the software that follow the release; asked by `verdigris flags`. */
  flags: flagsSchema.optional(),
  /** Where flags are set, by name: after a switchover, and back before a rollback. */
  flagStores: flagStoresSchema.optional(),
  /** What is told of a release's steps, or asked before them. */
  hooks: hooksSchema.optional(),
  retention: z
    .strictObject({
      /**
       * How long the retained colour is kept after a switchover before `retire` may drop it without being asked twice;
       * a day where nothing is declared.
       */
      retained: duration.optional(),
      /**
       * `scaled-down` stops its server meanwhile: a rollback then begins by starting it, and the live colour keeps the
       * log that it needs.
       */
      mode: z.enum(['warm', 'scaled-down']).default('warm'),
      /** `retire` keeps a snapshot of the retained colour's volume, of the last `keep` releases, `maxAge` old at most. */
      archive: z.strictObject({ keep: z.int().min(1).max(100).default(3), maxAge: duration.optional() }).optional(),
    })
    .prefault({}),
  credentials: z
    .strictObject({
      /** Any text. Given another one, the next `up` or `release` rotates every password once. */
      rotation: z.string().min(1).optional(),
      /** How long the login of before works after such a rotation. */
      grace: duration.default(86_400_000),
      /** A password that is older is found by preflight and shown by status. */
      maxAge: duration.optional(),
    })
    .prefault({}),
  local: z
    .strictObject({
      /** The one address of the environment: 127.0.0.1 at this port; 0 takes a free one at creation. */
      port: z.int().min(0).max(65_535).default(0),
      /** Clients are offered TLS with this certificate and key (PEM files; paths by the folder of the declaration). */
      tls: z
        .strictObject({
          cert: z.string().min(1),
          key: z.string().min(1),
          /** Clients that ask for no TLS are refused. */
          required: z.boolean().optional(),
        })
        .optional(),
      /**
       * By role: where its password is kept; others are made by Verdigris. To an external server the router carries the
       * sessions of a role by it; those of a role without one are cut by a switchover there.
       */
      passwords: z.record(identifier, secretSource).default({}),
      /** What the router takes of clients. */
      limits: z
        .strictObject({
          /** Clients at a time. */
          connections: z.int().min(1).default(1000),
          /** Clients at a time of one user. */
          connectionsPerUser: z.int().min(1).default(1000),
          /** Clients at a time that have not logged in yet, those who wait for a switchover to end among them. */
          beforeLogin: z.int().min(1).default(500),
          /** Bytes that a client may send before its login is over. */
          bytesBeforeLogin: size.default(65_536),
          /** For the startup message, and again for the password exchange. */
          login: duration.default(60_000),
        })
        .prefault({}),
    })
    .prefault({}),
  kubernetes: kubernetesSchema,
});

export type Environment = z.output<typeof environmentSchema>;
export type ColourDeclaration = z.output<typeof colourSchema>;

/** Tables that any colour declares as its tool's history: both have them, whichever is live. */
export function declaredHistory({ colours: declared }: Pick<Environment, 'colours'>): string[] {
  return Object.values(declared).flatMap(({ engine }) =>
    typeof engine === 'object' ? [engine.history ?? []].flat() : [],
  );
}

/** What is wrong with a declaration, and where: `colours.green.postgres`. */
export interface DeclarationIssue {
  readonly path: string;
  readonly message: string;
  /** Of the file that declares it, where that is known. */
  readonly line?: number | undefined;
}

/** The JSON schema of a declaration as people write it, for editors. */
export function declarationJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(environmentSchema, { io: 'input' });
}

/**
 * Parses the declaration of an environment. Every unknown key, wrong type and contradiction is reported at once.
 * @param lineOf the line of a path in the file that declares it, where there is one.
 */
export function parseEnvironment(
  value: unknown,
  source: string,
  lineOf: (path: readonly string[]) => number | undefined = () => undefined,
): Environment {
  const parsed = environmentSchema.safeParse(value, { error: required });
  const issues = [...(parsed.error?.issues ?? []).flatMap(issuesOf), ...contradictions(value)]
    .map((issue) => ({ ...issue, line: lineOf(issue.path.split('.')) }))
    .toSorted((one, next) => (one.line ?? 0) - (next.line ?? 0));
  if (parsed.success && issues.length === 0) return fitting(parsed.data, value);
  const listed = issues.map(
    ({ path, message, line }) => `  ${line === undefined ? '' : `line ${line}: `}${path}: ${message}`,
  );
  throw new VerdigrisError('declaration-invalid', {
    seen: `${source} has ${count(issues.length, 'fault')}:\n${listed.join('\n')}\n`,
    required: 'a declaration as docs/declaration.md describes it.',
    next: 'fix what is listed; nothing was done.',
    facts: { issues },
  });
}

/**
 * On a small volume the log that a slot retains by default is half of it: the disk of the live colour must not fill.
 */
function fitting(environment: Environment, given: unknown): Environment {
  const { platform, limits, kubernetes } = environment;
  if (platform !== 'kubernetes' || record(record(given)['limits'])['retainedWal'] !== undefined) return environment;
  const retainedWal = Math.min(defaultRetainedWal, Math.floor(kubernetes.storage / 2));
  return { ...environment, limits: { ...limits, retainedWal } };
}

/** What only a cluster has, by where it is declared. */
function clusterOnly(top: Readonly<Record<string, unknown>>): DeclarationIssue[] {
  const instead = {
    job: 'is a Job of a cluster: on the platform local declare a command',
    configMap: 'is a ConfigMap of a cluster: on the platform local declare a file',
  };
  const named = {
    hooks: top['hooks'],
    'delivery.metrics': record(top['delivery'])['metrics'],
    flagStores: top['flagStores'],
  };
  return Object.entries(named).flatMap(([path, all]) =>
    Object.entries(record(all)).flatMap(([name, each]) =>
      Object.entries(instead)
        .filter(([key]) => record(each)[key] !== undefined)
        .map(([key, message]) => ({ path: `${path}.${name}.${key}`, message })),
    ),
  );
}

/** In the words of a person who left a key out; undefined leaves the message to zod. */
function required({ code, input }: z.core.$ZodRawIssue): string | undefined {
  const typed = code === 'invalid_type' || code === 'invalid_value';
  return typed && input === undefined ? 'is required' : undefined;
}

function issuesOf(issue: z.core.$ZodIssue): DeclarationIssue[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path: dotted(path), message: issue.message }];
  const known = keysAt(path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    return {
      path: dotted([...path, key]),
      message: `is not a key that Verdigris knows${near === undefined ? '' : `: did you mean ${near}?`}`,
    };
  });
}

/** The keys that the schema has below a path. */
function keysAt(path: readonly string[]): string[] {
  let schema: z.core.JSONSchema._JSONSchema = declarationJsonSchema();
  for (const key of path) {
    if (typeof schema !== 'object') return [];
    schema = schema.properties?.[key] ?? schema.additionalProperties ?? {};
  }
  return typeof schema === 'object' ? Object.keys(schema.properties ?? {}) : [];
}

function dotted(path: readonly string[]): string {
  return path.length === 0 ? '(whole file)' : path.join('.');
}

/** What no single field shows. Reads the raw value, so that it speaks even where types are wrong elsewhere. */
function contradictions(value: unknown): DeclarationIssue[] {
  const issues: DeclarationIssue[] = [];
  const at = (path: string, message: string) => issues.push({ path, message });
  const top = record(value);
  const declared = record(top['colours']);
  const live = top['live'];
  if (colours.includes(live as Colour)) {
    const candidate = other(live as Colour);
    if (top['colours'] !== undefined && declared[live as Colour] === undefined)
      at('live', `is ${String(live)}, but colours.${String(live)} is not declared`);
    if (Number(top['canary']) > 0 && declared[candidate] === undefined)
      at('canary', `sends readers to ${candidate}, but colours.${candidate} is not declared`);
  }
  const releases = colours.map((colour) => record(declared[colour])['release']);
  if (releases[0] !== undefined && releases[0] === releases[1])
    at(
      'colours',
      `blue and green both declare release ${JSON.stringify(releases[0])}: a release is from one to another`,
    );
  if (top['platform'] === 'kubernetes' && record(record(top['kubernetes'])['images'])['pooler'] === undefined)
    at(
      'kubernetes.images.pooler',
      'is not declared: PgBouncer has no official image, so name the one that your cluster trusts',
    );
  if (top['platform'] === 'local') issues.push(...clusterOnly(top));
  if (top['platform'] === 'local' && record(top['retention'])['archive'] !== undefined)
    at(
      'retention.archive',
      'is a VolumeSnapshot of a cluster: on the platform local take a pg_basebackup of the retained colour before `retire`',
    );
  const cluster = record(top['kubernetes']);
  if (record(cluster['images'])['verdigris'] === undefined) {
    if (record(cluster['drill'])['schedule'] !== undefined)
      at('kubernetes.drill.schedule', 'needs kubernetes.images.verdigris: drills run in its image');
    if (record(top['delivery'])['controller'] === true)
      at('delivery.controller', 'needs kubernetes.images.verdigris: it runs in its image');
    if (record(cluster['metrics'])['enabled'] === true)
      at('kubernetes.metrics.enabled', 'needs kubernetes.images.verdigris: the metrics are served from its image');
  }
  const adopting = record(record(top['kubernetes'])['adopt'])['statefulSet'] !== undefined;
  if (adopting && record(top['kubernetes'])['istio'] === true)
    at(
      'kubernetes.istio',
      'needs labels of ours on both colours’ pods, which an adopted one has not: declare it, and take ' +
        'kubernetes.adopt out, once the first release has been accepted',
    );
  if (adopting && record(declared['blue'])['release'] === undefined)
    at(
      'kubernetes.adopt',
      'is about blue, and colours.blue is not declared: the colours are told apart by cluster_name, which an adopted server has not',
    );
  if (adopting && record(top['kubernetes'])['from'] !== undefined)
    at('kubernetes.from', 'makes the first colour, and kubernetes.adopt takes one that exists: declare one of them');
  issues.push(...unfitKinds(top));
  const roles = record(top['roles']);
  const writers = list(roles['application']);
  for (const reader of list(roles['readers']))
    if (writers.includes(reader))
      at('roles.readers', `${JSON.stringify(reader)} is an application role too: a reader may not write`);
  for (const role of [...writers, ...list(roles['readers']), ...(roles['owner'] === undefined ? [] : [roles['owner']])])
    if (/^(verdigris|pg_)/.test(String(role))) at('roles', `${JSON.stringify(role)} is reserved`);
  return issues;
}

/** What may be said of a kind besides its name. */
const ownKeys: Readonly<Record<'server' | 'traffic' | 'journal', Readonly<Record<string, readonly string[]>>>> = {
  server: {
    local: ['host'],
    external: ['host', 'port', 'user', 'password', 'sslmode', 'ca', 'subscriberCa'],
    cnpg: ['cluster', 'namespace', 'context'],
  },
  traffic: { service: ['name'] },
  journal: {},
};

/** Whether the colour whose server `path` names is declared at all. */
function declared(top: Record<string, unknown>, path: string): boolean {
  return record(top['colours'])[path.split('.')[1] ?? ''] !== undefined;
}

/** Servers, traffic and journal are chosen apart, and not every one goes with every other. */
function unfitKinds(top: Record<string, unknown>): DeclarationIssue[] {
  const issues: DeclarationIssue[] = [];
  const platform = top['platform'];
  if (platform !== 'local' && platform !== 'kubernetes') return issues;
  const servers = colours.map((colour) => [
    `colours.${colour}.server`,
    record(record(top['colours'])[colour])['server'],
  ]);
  const parts = [
    ...servers.map(([path, value]) => ({ part: 'server' as const, path: String(path), value })),
    ...(['traffic', 'journal'] as const).map((part) => ({ part, path: part, value: top[part] })),
  ];
  for (const { part, path, value } of parts) {
    const { kind, ...given } = record(value);
    const known: readonly string[] = kindsOf[platform][part];
    if (typeof kind === 'string' && !known.includes(kind))
      issues.push({ path: `${path}.kind`, message: unfit(platform, part, kind) });
    const major = record(record(top['colours'])[path.split('.')[1] ?? ''])['postgres'];
    if (part === 'server' && kind !== 'external' && typeof major === 'number' && major >= 12 && major < 15)
      issues.push({
        path: path.replace(/server$/, 'postgres'),
        message: 'is below 15, the oldest that Verdigris runs: only the live server may be, where others run it',
      });
    if (kind === 'external' && given['host'] === undefined)
      issues.push({ path: `${path}.host`, message: 'is required of an external server' });
    if (kind === 'postgres')
      for (const key of ['host', 'database', 'user'].filter((each) => given[each] === undefined))
        issues.push({ path: `${path}.${key}`, message: 'is required of a journal in PostgreSQL' });
    if (kind === 'postgres' && record(given['password'])['env'] !== undefined)
      issues.push({
        path: `${path}.password.env`,
        message: 'is a variable, and recoveries that nobody calls have none of yours: declare a file or a command',
      });
    if (kind === 'cnpg' && given['cluster'] === undefined)
      issues.push({ path: `${path}.cluster`, message: 'is required of a Cluster of CloudNativePG' });
    const own: readonly string[] = typeof kind === 'string' ? (ownKeys[part][kind] ?? []) : [];
    if (typeof kind === 'string' && kind !== 'postgres')
      for (const key of Object.keys(given).filter((each) => !own.includes(each)))
        issues.push({ path: `${path}.${key}`, message: `does not belong to ${kind}` });
  }
  if (record(top['traffic'])['kind'] === 'service')
    for (const { path } of parts.filter(({ part, value }) => part === 'server' && record(value)['kind'] !== 'cnpg'))
      if (declared(top, path))
        issues.push({
          path: `${path}.kind`,
          message: 'is not cnpg, and traffic.kind service is one Service that selects the pods of two Clusters',
        });
  const external = parts.filter(({ value }) => ['external', 'cnpg'].includes(String(record(value)['kind'])));
  if (external.length > 0 && record(top['retention'])['mode'] === 'scaled-down')
    issues.push({
      path: 'retention.mode',
      message: 'is scaled-down, and an external server is never stopped by Verdigris',
    });
  const encrypted = external.some(({ value }) => record(value)['sslmode'] !== 'disable');
  if (encrypted && record(top['local'])['tls'] !== undefined)
    issues.push({
      path: 'local.tls',
      message:
        'goes with no external server that is reached by TLS: a password exchange that is bound to the one channel is ' +
        'refused on the other',
    });
  return issues;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
