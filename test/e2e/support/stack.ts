import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LocalWorkspace, type ProjectSettings, type PulumiFn, type Stack } from '@pulumi/pulumi/automation/index.js';
import type { Output } from '@pulumi/pulumi';
import { Environment, type EnvironmentArgs } from '../../../src/pulumi/components/environment.ts';
import type { Cluster, Stored } from '../../../src/platform/kubernetes/cluster.ts';

export const project = 'verdigris-test';

/** A folder with a backend of files, for the length of `use`. */
export async function withBackend(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-stack-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A stack on the backend in `folder`, driven as `pulumi up` would be. */
export async function openStack(folder: string, stackName: string, program: PulumiFn): Promise<Stack> {
  return LocalWorkspace.createOrSelectStack(
    { stackName, projectName: project, program },
    {
      workDir: folder,
      envVars: {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: '',
        PULUMI_SKIP_UPDATE_CHECK: 'true',
      },
      projectSettings: {
        name: project,
        runtime: 'nodejs',
        plugins: {
          providers: [
            { name: 'verdigris', path: fileURLToPath(new URL('../../../src/pulumi/provider', import.meta.url)) },
          ],
        },
      } as unknown as ProjectSettings,
    },
  );
}

export type Declare = (declaration: Record<string, unknown>, more?: Omit<EnvironmentArgs, 'declaration'>) => void;

/** A stack of one environment `shop`. */
export async function withStack(use: (stack: Stack, declare: Declare, folder: string) => Promise<void>): Promise<void> {
  await withBackend(async (folder) => {
    let args: EnvironmentArgs | undefined;
    const stack = await openStack(folder, 'dev', () =>
      Promise.resolve(args ? outputs(new Environment('shop', args)) : {}),
    );
    await use(stack, (declaration, more = {}) => (args = { declaration, ...more }), folder);
  });
}

export function outputs({
  address,
  addresses,
  secrets,
  live,
  state,
  release,
  pauseMs,
}: Environment): Record<string, Output<unknown>> {
  return { address, addresses, secrets, live, state, release, pauseMs };
}

/** Both colours of `small`, green with the next release. */
export const prepared = { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } };

/** A small environment `name` in a namespace: blue with release 1, and what is laid over it. */
export function small(namespace: string, name: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  const { kubernetes, ...rest } = over as { kubernetes?: Record<string, unknown> };
  return {
    name,
    platform: 'kubernetes',
    database: 'shop',
    roles: { application: ['shop_app'], readers: ['shop_reader'] },
    colours: { blue: { release: '1', postgres: 15 } },
    // A test does not wait for a day before it retires.
    retention: { retained: '1s' },
    live: 'blue',
    limits: { snapshot: '5m' },
    ...rest,
    kubernetes: {
      namespace,
      storage: '1GiB',
      images: { pooler: process.env['VERDIGRIS_TEST_POOLER'] ?? 'test/pgbouncer:1.24' },
      pooler: { replicas: 1 },
      settings: { shared_buffers: '16MB' },
      resources: { cpu: '10m', memory: '96Mi' },
      ...kubernetes,
    },
  };
}

export interface Exported {
  readonly type: string;
  readonly urn: string;
  readonly outputs?: Record<string, unknown>;
}

/** The state of the environment as the stack has it. */
export async function trafficState(stack: Stack): Promise<Record<string, unknown>> {
  const { deployment } = (await stack.exportStack()) as { deployment: { resources: Exported[] } };
  return deployment.resources.find(({ type }) => type === 'verdigris:index:Traffic')?.outputs ?? {};
}

const kinds = [
  'ConfigMap',
  'Deployment',
  'NetworkPolicy',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'Secret',
  'Service',
  'StatefulSet',
  'VolumeSnapshot',
] as const;
export const ours = { 'app.kubernetes.io/instance': 'shop' };

/** Every object of the environment with its resourceVersion: equal where nothing was written. */
export async function versions(admin: Cluster): Promise<Record<string, string>> {
  const found = await Promise.all(
    kinds.map(async (kind) =>
      (await admin.list<Stored>(kind, ours)).map(
        ({ metadata }) => [`${kind} ${metadata.name}`, metadata.resourceVersion] as const,
      ),
    ),
  );
  return Object.fromEntries(found.flat());
}
