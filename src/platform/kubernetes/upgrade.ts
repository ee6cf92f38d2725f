import { domain } from '../../manifests/names.ts';
import { upgradeJob, type MajorUpgrade } from '../../manifests/upgrade.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import type { Upgrades } from '../port/upgrades.ts';
import type { Cluster, Stored } from './cluster.ts';
import { explainPod, stuck, type Pod } from './pods.ts';
import { podLimit, type ColourSets } from './sets.ts';
import { podStuck } from './pod-waits.ts';

interface JobObject extends Stored {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** Milliseconds that a pod may be stuck before it is believed. */
const patience = 10_000;

/**
 * Runs pg_upgrade in a Job on the volume of a colour that is stopped, and waits for its end; one that runs already, for
 * an operator that was killed, is waited for. Returns what it had to leave out. The Job stays until `removeUpgrade`, so
 * that it runs once.
 */
export async function runUpgrade(
  cluster: Cluster,
  environment: Environment,
  image: string,
  upgrade: MajorUpgrade,
): Promise<string> {
  const manifest = upgradeJob(environment, image, upgrade);
  const { name } = manifest.metadata;
  const next = 'fix what it says, then seed again; the live colour is untouched.';
  await cluster.create(manifest);
  let since: number | undefined;
  let last = 'it has no pod yet';
  return waitFor(
    async () => {
      const job = await cluster.read<JobObject>('Job', name);
      const pods = (await cluster.list<Pod>('Pod', { 'job-name': name })).toSorted((one, two) =>
        one.metadata.creationTimestamp.localeCompare(two.metadata.creationTimestamp),
      );
      const said = pods.flatMap((pod) => message(pod) ?? []).at(-1);
      const ended = (type: string) =>
        job?.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
      if (ended('Complete')) return said ?? '';
      const failed = ended('Failed');
      if (failed)
        throw new VerdigrisError('upgrade-failed', {
          seen:
            `pg_upgrade from ${upgrade.from} to ${upgrade.to} failed in the Job ${cluster.namespace}/${name}: ` +
            `${said ?? failed.message ?? 'no reason given'}`,
          required: 'a volume and an image that pg_upgrade can work with.',
          next,
        });
      const why = pods.flatMap((pod) => stuck(pod) ?? []).at(-1);
      since = why === undefined ? undefined : (since ?? performance.now());
      if (why !== undefined && since !== undefined && performance.now() - since > patience)
        throw podStuck(why, 'a pod of the Job that runs: kubernetes.images.upgrade must be there for the node.', next);
      last = pods.length > 0 ? explainPod(pods.at(-1)) : last;
      return undefined;
    },
    {
      limit: environment.limits.upgrade,
      every: 100,
      slowest: 1_000,
      what: `the end of the Job ${cluster.namespace}/${name}`,
      next,
    },
    () => last,
  );
}

export async function removeUpgrades(
  cluster: Cluster,
  environment: Environment,
  colour: MajorUpgrade['colour'],
): Promise<void> {
  const jobs = await cluster.list('Job', {
    'app.kubernetes.io/instance': environment.name,
    'app.kubernetes.io/managed-by': 'verdigris',
    'app.kubernetes.io/component': 'upgrade',
    [`${domain}/colour`]: colour,
  });
  for (const { metadata } of jobs) {
    await cluster.delete('Job', metadata.name);
    // The volume is in its hands until the last of its pods is gone.
    await waitFor(
      async () => ((await cluster.list('Pod', { 'job-name': metadata.name })).length === 0 ? true : undefined),
      {
        limit: 120_000,
        every: 50,
        slowest: 500,
        what: `the end of the pods of Job ${cluster.namespace}/${metadata.name}`,
        next: 'see what keeps them (kubectl describe pod); the same command continues from here.',
      },
    );
  }
}

/** The last words of a pod that has ended. */
function message({ status }: Pod): string | undefined {
  return status?.containerStatuses?.flatMap(({ state }) => state?.terminated?.message?.trim() ?? []).at(-1);
}

/** Across majors, in place, by a pod of an image with the programs of both. */
export function colourUpgrades(environment: Environment, cluster: Cluster, sets: ColourSets): Upgrades {
  return {
    obstacle: (from, to) => {
      if (environment.kubernetes.images.upgrade !== undefined) return undefined;
      return {
        seen: 'kubernetes.images.upgrade is not declared',
        fix:
          `Declare kubernetes.images.upgrade: an image with the binaries of PostgreSQL ${from} and ${to} in the ` +
          'folders PGBINOLD and PGBINNEW of its environment; or declare the same major for both colours.',
      };
    },
    run: async (colour, to) => {
      const set = await sets.read(colour);
      const { upgrade: image } = environment.kubernetes.images;
      if (!set || image === undefined) throw sets.missing(colour);
      const life = sets.life(colour, set);
      let left = '';
      if (life.major !== to) {
        await sets.stop(colour, 'fast');
        left = await runUpgrade(cluster, environment, image, {
          colour,
          generation: life.generation,
          from: life.major,
          to,
        });
      }
      await sets.bring({ ...life, major: to, parked: false }, podLimit);
      await removeUpgrades(cluster, environment, colour);
      return left;
    },
  };
}
