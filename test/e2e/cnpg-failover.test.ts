import { beforeAll, expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { Workload } from '../../src/workload/start.ts';
import { until } from '../support/until.ts';
import { emptied, operatorUp, withCnpg, type Clusters } from './support/cnpg.ts';

beforeAll(operatorUp, 300_000);

/** Enough to be in the middle of when a primary dies. */
const bulk = `CREATE TABLE public.bulk (id int PRIMARY KEY, text text);
  INSERT INTO public.bulk SELECT n, repeat(md5(n::text), 10) FROM generate_series(1, 200000) n;
  GRANT SELECT ON public.bulk TO shop_app`;

const both = ['blue', 'green'] as const;

const exact = {
  ok: true,
  lost: { count: 0 },
  doubled: { count: 0 },
  wrongColour: { count: 0 },
  altered: { count: 0 },
  unknown: { count: 0 },
};

const minutes = 60_000;

test('a primary of either Cluster of CloudNativePG dies in seed, forward and reverse: nothing acknowledged is lost, and the release goes on', async () => {
  await withCnpg(async (clusters) => {
    const { verb, load, on, platform, failover, healthy } = clusters;
    await on('blue', (client) => client.query(bulk));
    const { verdict } = await load(
      30,
      async (workload) => {
        const dead = await dyingAt(clusters, 'seed', 'copy', 'blue');
        console.log(`a seed whose live server died: ${dead?.message ?? 'it went on'}`);
        await healthy('blue');
        if (dead) {
          expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', operation: null });
          await emptied(clusters);
          await verb('seed');
        }
        for (const colour of both) {
          await failover(colour);
          await served(workload);
          await healthy(colour);
        }
        for (const each of ['migrate', 'verify', 'switch'] as const) await verb(each);
        for (const colour of ['green', 'blue'] as const) {
          await failover(colour);
          await served(workload);
          await healthy(colour);
        }
        await verb('rollback');
        await served(workload);
        await verb('verify');
      },
      25 * minutes,
    );
    expect(verdict).toMatchObject(exact);
  });
});

/** Who dies where: `switch` goes from blue to green, `rollback` back. The commit point is between `barrier` and `open`. */
const deaths = [
  { verb: 'switch', step: 'fence', dies: 'blue' },
  { verb: 'rollback', step: 'barrier', dies: 'blue' },
  { verb: 'switch', step: 'open', dies: 'green' },
  { verb: 'rollback', step: 'route', dies: 'green' },
] as const;

test('a primary of either Cluster dies in the middle of a switchover and a rollback: the same command ends it, and nothing acknowledged is lost', async () => {
  await withCnpg(async (clusters) => {
    const { verb, load, healthy } = clusters;
    const { verdict } = await load(
      30,
      async (workload) => {
        for (const each of ['seed', 'migrate'] as const) await verb(each);
        for (const death of deaths) {
          if (death.verb === 'switch') await verb('verify');
          const dead = await dyingAt(clusters, death.verb, death.step, death.dies);
          console.log(`${death.dies} died at ${death.step} of ${death.verb}: ${dead?.message ?? 'it went on'}`);
          await healthy(death.dies);
          await ended(clusters, death.verb);
          await served(workload);
        }
        await verb('verify');
      },
      25 * minutes,
    );
    expect(verdict).toMatchObject(exact);
  });
});

/** By the same command, if it is not through yet. */
async function ended({ verb, platform }: Clusters, name: 'switch' | 'rollback'): Promise<void> {
  const { live, operation } = await readJournal(platform.journal);
  if (operation !== null || live !== (name === 'switch' ? 'green' : 'blue')) await verb(name);
  expect(await readJournal(platform.journal)).toMatchObject({
    live: name === 'switch' ? 'green' : 'blue',
    operation: null,
  });
}

/** The verb's error, if it ended with one: a primary dies as soon as the step begins. */
async function dyingAt(
  { verb, events, failover }: Clusters,
  name: Verb,
  step: string,
  colour: 'blue' | 'green',
): Promise<Error | undefined> {
  const seen = events.length;
  const running = verb(name).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  const begun = () =>
    events.slice(seen).some((event) => event.type === 'step' && event.step === step && event.status === 'started');
  await until(`the step ${step}`, begun, 5 * minutes);
  await failover(colour);
  return running;
}

/** Clients are served again, by whoever is the primary now. */
async function served(workload: Workload): Promise<void> {
  const { acknowledged } = workload.stats();
  await workload.until((stats) => stats.acknowledged > acknowledged + 50, 3 * minutes);
}
