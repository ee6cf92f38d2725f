import type { Environment } from '../../model/environment.ts';
import type { Colour } from '../../model/colours.ts';
import type { Emit } from '../../model/events.ts';
import { readJournal } from '../../operations/engine/ledger.ts';
import { withOperator } from '../../operations/operator.ts';
import { performRelease } from '../../operations/perform.ts';
import { previewRelease, type Preview } from '../../operations/reads/preview.ts';
import { Cluster } from '../../platform/kubernetes/cluster.ts';
import { createKubernetes } from '../../platform/kubernetes/lifecycle/create.ts';
import { recalledDeclaration, recordDeclaration } from '../../platform/kubernetes/declaration.ts';
import { destroyKubernetes, type LastSnapshot } from '../../platform/kubernetes/lifecycle/destroy.ts';
import { drift } from '../../platform/kubernetes/lifecycle/drift.ts';
import { repairKubernetes } from '../../platform/kubernetes/lifecycle/repair.ts';
import { openKubernetes, type KubernetesPlatform } from '../../platform/kubernetes/platform.ts';

/** An environment as it is. */
export interface ObservedEnvironment {
  readonly state: string;
  readonly live: Colour;
  readonly release: string;
  /** Where the Service for writes points; another colour than `live` where somebody changed it by hand. */
  readonly routed: string | undefined;
  /** Per cent of the readers on the candidate, while there is a canary. */
  readonly canary: number | undefined;
  readonly address: string;
  readonly pauseMs: number | undefined;
  /** What somebody changed by hand, in words. */
  readonly drift: readonly string[];
}

/** What the resource does to the world: the operations, and nothing beside them. */
export interface ResourceBackend {
  /** Undefined where there is no environment. Reads objects of the cluster and opens no connection to a database. */
  observe(environment: Environment): Promise<ObservedEnvironment | undefined>;
  /** The plan from what is to what is declared; undefined where there is no environment. Its connections cannot write. */
  preview(environment: Environment): Promise<Preview | undefined>;
  /** Makes the environment where there is none, puts right what was changed by hand, and releases as declared. */
  apply(environment: Environment, raw: unknown, emit: Emit, signal: AbortSignal): Promise<void>;
  /** What an environment was last declared as. */
  recall(namespace: string, name: string): Promise<Record<string, unknown> | undefined>;
  destroy(environment: Environment): Promise<LastSnapshot | undefined>;
}

async function withPlatform<T>(
  environment: Environment,
  use: (platform: KubernetesPlatform) => Promise<T>,
): Promise<T> {
  const platform = openKubernetes(environment);
  try {
    return await use(platform);
  } finally {
    await platform.close();
  }
}

/** Milliseconds between two renewals of the lease while everything is removed. */
const renewEvery = 2_000;

export const kubernetesBackend: ResourceBackend = {
  observe: (environment) =>
    withPlatform(environment, async (platform) => {
      if (!(await platform.journal.read())) return undefined;
      const journal = await readJournal(platform.journal);
      const route = await platform.routes.current();
      return {
        state: journal.state,
        live: journal.live,
        release: journal.liveRelease,
        routed: route?.selector,
        canary: journal.state === 'canary' ? route?.canary : undefined,
        address: platform.traffic.address,
        pauseMs: journal.release?.pauseMs ?? (await platform.history.list()).at(-1)?.pauseMs,
        drift: await drift(environment, platform, journal),
      };
    }),

  preview: (environment) =>
    withPlatform(environment, async (platform) =>
      (await platform.journal.read()) ? previewRelease(environment, platform) : undefined,
    ),

  apply: (environment, raw, emit, signal) =>
    withPlatform(environment, async (platform) => {
      const { created } = await createKubernetes(environment, platform, { raw, fixed: false });
      await recordDeclaration(platform.cluster, environment, raw, emit);
      await withOperator({ environment, platform, emit, signal }, 'release', async (c) => {
        const found = created ? [] : await repairKubernetes(environment, platform, c.journal, raw);
        for (const text of found) emit({ type: 'note', text: `corrected: ${text}` });
        await performRelease(c, undefined);
      });
    }),

  async recall(namespace, name) {
    const cluster = Cluster.open(namespace);
    try {
      return await recalledDeclaration(cluster, name);
    } finally {
      cluster.close();
    }
  },

  destroy: (environment) =>
    withPlatform(environment, async (platform) => {
      // Not under the hands of somebody who is at work.
      const lease = await platform.leases.acquire('verdigris destroy');
      const renewal = setInterval(() => void lease.renew().catch(() => undefined), renewEvery);
      try {
        const live = (await platform.journal.read()) ? (await readJournal(platform.journal)).live : environment.live;
        return await destroyKubernetes(environment, platform, live);
      } finally {
        clearInterval(renewal);
        await lease.release();
      }
    }),
};
