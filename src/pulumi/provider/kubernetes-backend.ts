import { leaseHolder } from '../../machine/operator-name.ts';
import type { Environment } from '../../model/environment.ts';
import { observedOf } from '../../model/plan.ts';
import { colours } from '../../model/colours.ts';
import { objectNames } from '../../manifests/names.ts';
import type { Standing } from '../../manifests/lives.ts';
import type { DeliveryParts } from '../../delivery/act.ts';
import { follow } from '../../delivery/follow.ts';
import { previewWalk, underWay } from '../../delivery/preview.ts';
import { readJournal } from '../../operations/engine/ledger.ts';
import { keepLease } from '../../operations/keep-lease.ts';
import { withOperator } from '../../operations/operator.ts';
import { performRelease } from '../../operations/perform.ts';
import { rotateDeclared } from '../../operations/verbs/rotate-declared.ts';
import { previewRelease } from '../../operations/reads/preview.ts';
import { Cluster } from '../../platform/kubernetes/cluster.ts';
import { createKubernetes } from '../../platform/kubernetes/lifecycle/create.ts';
import { requireCluster } from '../../platform/kubernetes/lifecycle/create-checks.ts';
import { recalledDeclaration, recordDeclaration } from '../../platform/kubernetes/declaration.ts';
import { destroyKubernetes, lastSnapshots } from '../../platform/kubernetes/lifecycle/destroy.ts';
import { identityOf, isGone, requireKnown } from '../../platform/kubernetes/identity.ts';
import { removeKubernetes } from '../../platform/kubernetes/lifecycle/remove.ts';
import { claimsOf, drift, generationOf } from '../../platform/kubernetes/lifecycle/drift.ts';
import { fixOwnSecret } from '../../platform/kubernetes/lifecycle/own-secret.ts';
import { repairKubernetes } from '../../platform/kubernetes/lifecycle/repair.ts';
import { openKubernetes, type KubernetesPlatform } from '../../platform/kubernetes/platform.ts';
import type { KnownByState, OpenBackend } from './backend.ts';

function walksByItself({ delivery }: Environment): boolean {
  return delivery.steps.length > 0;
}

export const kubernetesBackend: OpenBackend = (access) => {
  async function withPlatform<T>(
    environment: Environment,
    known: KnownByState | undefined,
    use: (platform: KubernetesPlatform) => Promise<T>,
  ): Promise<T> {
    const platform = openKubernetes(environment, access);
    try {
      if (known) await requireKnown(platform, known.identity, known.forget);
      return await use(platform);
    } finally {
      await platform.close();
    }
  }

  return {
    standing: (environment) => withPlatform(environment, undefined, (platform) => standingOf(environment, platform)),

    begun: (environment) =>
      withPlatform(
        environment,
        undefined,
        async ({ creation, journal }) =>
          (await creation.underWay()) !== undefined || (await journal.read()) !== undefined,
      ),

    requireFit: (environment) => withPlatform(environment, undefined, requireCluster),

    observe: (environment, known) =>
      withPlatform(environment, known, async (platform) => {
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
          walking: await underWay(walkParts(environment, platform)),
          identity: await identityOf(platform, journal),
        };
      }),

    preview: (environment, known) =>
      withPlatform(environment, known, (platform) =>
        walksByItself(environment)
          ? previewWalk(walkParts(environment, platform))
          : previewRelease(environment, platform),
      ),

    apply: (environment, raw, emit, signal, known) =>
      withPlatform(environment, known, async (platform) => {
        const { created } = await createKubernetes(environment, platform, { raw, fixed: false, emit });
        await recordDeclaration(platform.cluster, environment, raw, emit);
        // Before the lease: whoever has it looks at each of these passwords.
        const secret = await fixOwnSecret(environment, platform, await readJournal(platform.journal));
        for (const text of secret) emit({ type: 'note', text: `corrected: ${text}` });
        await withOperator({ environment, platform, emit, signal }, 'release', async (c) => {
          const found = created ? [] : await repairKubernetes(environment, platform, c.journal, raw);
          for (const text of found) emit({ type: 'note', text: `corrected: ${text}` });
          if (walksByItself(environment)) await rotateDeclared(c);
          else await performRelease(c, undefined);
        });
        // Nobody holds a stack's lock for the hours that a release may wait: as far as nothing is waited for, and the
        // next `up` goes on.
        if (walksByItself(environment) && !environment.delivery.controller)
          await follow({ environment, platform, emit, signal }, { once: true });
      }),

    async recall(namespace, name) {
      const cluster = Cluster.open(namespace, access);
      try {
        return await recalledDeclaration(cluster, name);
      } finally {
        cluster.close();
      }
    },

    destroy: (environment, known) =>
      withPlatform(environment, undefined, async (platform) => {
        if (known && (await isGone(platform, known.identity, known.forget)))
          return lastSnapshots(environment, platform);
        if (!known && (await platform.journal.read()) === undefined) {
          if ((await platform.creation.underWay()) !== undefined) await removeKubernetes(environment, platform);
          return [];
        }
        // Not under the hands of somebody who is at work.
        const lease = await platform.leases.acquire(leaseHolder('destroy'));
        const stopRenewing = keepLease(lease, () => undefined);
        try {
          return await destroyKubernetes(environment, platform, (await readJournal(platform.journal)).live);
        } finally {
          stopRenewing();
          await lease.release();
        }
      }),
  };
};

/** For looking alone: nothing is done that would have to be reported or stopped. */
function walkParts(environment: Environment, platform: KubernetesPlatform): DeliveryParts {
  return { environment, platform, emit: () => undefined, signal: new AbortController().signal };
}

/** A colour whose StatefulSet somebody deleted is as the repair will make it again, of its newest volume. */
async function standingOf(environment: Environment, platform: KubernetesPlatform): Promise<Standing | undefined> {
  const { servers, adoption, cluster } = platform;
  if (!(await platform.journal.read())) return undefined;
  const journal = await readJournal(platform.journal);
  const expected = journal.state === 'single' ? [journal.live] : colours;
  const lives = await Promise.all(
    colours.map(async (colour) => {
      const own = await cluster.read('StatefulSet', objectNames.colour(environment.name, colour));
      const seen = await servers.observe(colour);
      if (seen) return [[colour, { ...seen, adopted: !own && (await adoption.of(colour)) !== undefined }] as const];
      const [claim] = expected.includes(colour) ? await claimsOf(platform, environment, colour) : [];
      const { postgres: major, release } = environment.colours[colour] ?? {};
      if (!claim || major === undefined || release === undefined) return [];
      return [[colour, { generation: generationOf(claim), major, release, adopted: false }] as const];
    }),
  );
  const { left } = observedOf(journal, await platform.history.list());
  return { journal: { ...journal, left }, lives: Object.fromEntries(lives.flat()) };
}
