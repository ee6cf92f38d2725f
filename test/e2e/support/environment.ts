import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readersDatabase } from '../../../src/manifests/pooler-settings.ts';
import { objectNames } from '../../../src/manifests/names.ts';
import type { Colour } from '../../../src/model/colours.ts';
import { parseEnvironment, type Environment } from '../../../src/model/environment.ts';
import { waitFor } from '../../../src/model/wait.ts';
import type { Verb } from '../../../src/model/transitions.ts';
import type { Context } from '../../../src/operations/engine/context.ts';
import type { Event } from '../../../src/model/events.ts';
import { commitRecorder, withClients, type Exercise } from '../../../src/operations/proofs/exercise.ts';
import { withOperator } from '../../../src/operations/operator.ts';
import { perform } from '../../../src/operations/perform.ts';
import type { PerformOptions } from '../../../src/operations/table.ts';
import { Cluster, type Stored } from '../../../src/platform/kubernetes/cluster.ts';
import { createKubernetes } from '../../../src/platform/kubernetes/lifecycle/create.ts';
import { KubernetesPlatform } from '../../../src/platform/kubernetes/platform.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { withClient, withPooledSession } from '../../../src/postgres/session.ts';
import type { Commit } from '../../../src/workload/commits.ts';
import { prepareWorkload } from '../../../src/workload/schema.ts';
import type { Workload } from '../../../src/workload/start.ts';
import { shopDeclaration } from './declaration.ts';
import { withNamespace, type TestNamespace } from './namespace.ts';

export interface ClusterEnvironment {
  readonly namespace: TestNamespace;
  readonly folder: string;
  readonly environment: Environment;
  readonly raw: unknown;
  readonly platform: KubernetesPlatform;
  readonly events: Event[];
  readonly commits: Commit[];
  /** Write pauses in milliseconds, as the operator measured them. */
  readonly pauses: number[];
  verb(
    verb: Verb,
    options?: PerformOptions & { readonly canary?: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Runs `use` with other words in the declaration's `kubernetes` and `limits`: verbs within it go by them. */
  declared<T>(kubernetes: Record<string, unknown>, limits: Record<string, string>, use: () => Promise<T>): Promise<T>;
  /** As `verb`, with another declaration. */
  as(
    environment: Environment,
    verb: Verb,
    options?: PerformOptions & { readonly canary?: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  operator<T>(use: (c: Context) => Promise<T>): Promise<T>;
  on<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T>;
  clients(use: (workload: Workload) => Promise<void>, options?: { readonly rate?: number }): Promise<Exercise>;
}

/**
 * Clients of an environment in the cluster: one is under way at any instant, and two cores have time for the rest. On a
 * busy machine they wait for their answers as long as PgBouncer lets them (query_wait_timeout), and a release takes
 * many minutes.
 */
export const pace = { rate: 60, readRate: 40, answerLimit: 110_000, maxDuration: 30 * 60_000 } as const;

export interface ClusterOptions {
  readonly declaration?: Record<string, unknown>;
  readonly kubernetes?: Record<string, unknown>;
  readonly limits?: Record<string, string>;
  readonly namespaceLabels?: Record<string, string>;
  readonly fill?: (client: Client) => Promise<void>;
}

/** An environment `shop` in a namespace of its own: blue live with release 1, green declared with release 2. */
export async function withClusterEnvironment<T>(
  options: ClusterOptions,
  use: (test: ClusterEnvironment) => Promise<T>,
): Promise<T> {
  return withNamespace(options.namespaceLabels ?? {}, async (namespace) => {
    const { kubernetes, limits, declaration } = options;
    const raw = { ...shopDeclaration(namespace.name, { kubernetes, limits }), ...declaration };
    const fill = async (client: Client): Promise<void> => {
      await options.fill?.(client);
      await prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
    };
    return clusterEnvironment(namespace, raw, { fill }, use);
  });
}

/** An environment as declared, in a namespace that is there. */
export async function clusterEnvironment<T>(
  namespace: TestNamespace,
  raw: { readonly kubernetes: object; readonly limits: object },
  { fill }: { readonly fill?: (client: Client) => Promise<void> },
  use: (test: ClusterEnvironment) => Promise<T>,
): Promise<T> {
  const environment = parseEnvironment(raw, 'the test');
  const platform = new KubernetesPlatform(environment, Cluster.of(namespace.operator, namespace.name));
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-cluster-'));
  const events: Event[] = [];
  const recorder = commitRecorder(environment.live, (event) => events.push(event));
  try {
    await createKubernetes(environment, platform, { raw, ...(fill ? { fill } : {}) });
    const signal = new AbortController().signal;
    let now = { environment, platform };
    const login = async (user: string, database: string) => ({
      host: await serviceAddress(platform),
      port: 5432,
      user,
      password: await platform.secrets.role(user),
      database,
      ...(environment.kubernetes.tls ? { tls: await platform.trust.of(platform.poolers.host) } : {}),
    });
    const as: ClusterEnvironment['as'] = (declared, verb, { signal: own = signal, canary: _, ...rest } = {}) =>
      withOperator({ environment: declared, platform: now.platform, emit: recorder.emit, signal: own }, verb, (c) =>
        perform(c, verb, { early: true, ...rest }),
      );
    return await use({
      namespace,
      folder,
      environment,
      raw,
      platform,
      events,
      commits: recorder.commits,
      pauses: recorder.pauses,
      as,
      verb: (verb, options = {}) => as({ ...now.environment, canary: options.canary ?? 0 }, verb, options),
      declared: async (kubernetes, limits, work) => {
        const other = parseEnvironment(
          { ...raw, kubernetes: { ...raw.kubernetes, ...kubernetes }, limits: { ...raw.limits, ...limits } },
          'the test',
        );
        now = {
          environment: other,
          platform: new KubernetesPlatform(other, Cluster.of(namespace.operator, namespace.name)),
        };
        try {
          return await work();
        } finally {
          await now.platform.close();
          now = { environment, platform };
        }
      },
      operator: (work) => withOperator({ environment, platform, emit: recorder.emit, signal }, 'recover', work),
      on: async (colour, work) =>
        withClient({ ...(await platform.servers.connection(colour)), database: environment.database }, 'test', work),
      clients: async (work, { rate } = {}) => {
        const writer = await login('shop_app', 'shop');
        // A Service just made takes a moment to be in effect, and its address may have been another's.
        await waitFor(
          () => withPooledSession(writer, 'test', () => Promise.resolve(true as const)).catch(() => undefined),
          {
            limit: 60_000,
            every: 50,
            what: "the poolers' address",
            next: 'see kube-proxy',
          },
        );
        const reader = await login('shop_reader', readersDatabase('shop'));
        return withClients(
          environment,
          platform,
          {
            writer,
            reader,
            logFile: path.join(folder, `clients-${Date.now()}.log`),
            business: false,
            ...pace,
            ...(rate === undefined ? {} : { rate }),
          },
          recorder.commits,
          work,
        );
      },
    });
  } finally {
    await platform.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The clients' address; of Services, which the tests' machine must be able to reach. */
async function serviceAddress({ cluster, environment }: KubernetesPlatform): Promise<string> {
  const service = await cluster.read<Stored & { spec: { clusterIP: string } }>(
    'Service',
    objectNames.pooler(environment),
  );
  if (!service) throw new Error('the pooler has a Service');
  return service.spec.clusterIP;
}
