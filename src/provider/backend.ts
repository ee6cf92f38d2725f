import type { Environment } from '../model/environment.ts';
import { declaredOf, plan, type Planned } from '../model/plan.ts';
import { readJournal } from '../operations/ledger.ts';
import type { Emit } from '../operations/events.ts';
import { withOperator } from '../operations/operator.ts';
import { operationOf, performRelease } from '../operations/perform.ts';
import { createKubernetes, destroyKubernetes } from '../platform/kubernetes/create.ts';
import { openKubernetes, type KubernetesPlatform } from '../platform/kubernetes/platform.ts';

/** An environment as it is. */
export interface Observed {
  readonly state: string;
  readonly live: string;
  readonly release: string;
  /** Where the Service for writes points; another colour than `live` where somebody changed it by hand. */
  readonly routed: string | undefined;
  readonly canary: number;
  readonly address: string;
  readonly lastPauseMs: number | undefined;
}

export interface Preview {
  readonly steps: readonly Planned[];
  /** The longest that clients may wait, in ms. */
  readonly longestWait: number;
}

/** What the resource does to the world: the operations, and nothing beside them. */
export interface Backend {
  /** Undefined where there is no environment. Reads objects of the cluster and opens no connection to a database. */
  observe(environment: Environment): Promise<Observed | undefined>;
  /** The plan from what is to what is declared. Reads as `observe` does. */
  preview(environment: Environment): Promise<Preview>;
  create(environment: Environment, raw: unknown): Promise<void>;
  release(environment: Environment, emit: Emit, signal: AbortSignal): Promise<void>;
  destroy(environment: Environment): Promise<void>;
}

async function withPlatform<T>(environment: Environment, use: (platform: KubernetesPlatform) => Promise<T>): Promise<T> {
  const platform = openKubernetes(environment);
  try {
    return await use(platform);
  } finally {
    await platform.close();
  }
}

export const kubernetesBackend: Backend = {
  observe: (environment) => withPlatform(environment, async (platform) => {
    if (!(await platform.journal.read())) return undefined;
    const journal = await readJournal(platform.journal);
    const route = await platform.routes.current();
    return {
      state: journal.state, live: journal.live, release: journal.liveRelease, routed: route?.selector, canary: route?.canary ?? 0,
      address: platform.traffic.address, lastPauseMs: journal.release?.pauseMs ?? (await platform.history.list()).at(-1)?.pauseMs,
    };
  }),
  preview: (environment) => withPlatform(environment, async (platform) => {
    const steps = (await platform.journal.read()) ? plan(declaredOf(environment), await readJournal(platform.journal)) : [];
    return { steps, longestWait: Math.max(0, ...steps.map(({ verb, kind }) => operationOf(verb, { lossy: kind === 'lossy' }).clientsWait(environment.limits))) };
  }),
  create: (environment, raw) => withPlatform(environment, async (platform) => void (await createKubernetes(environment, platform, { raw, networkPolicies: false }))),
  release: (environment, emit, signal) => withPlatform(environment, (platform) =>
    withOperator({ environment, platform, emit, signal }, 'release', async (c) => void (await performRelease(c, undefined)))),
  destroy: (environment) => withPlatform(environment, (platform) => destroyKubernetes(environment, platform)),
};
