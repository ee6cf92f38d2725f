import { expect, test } from 'vitest';
import { other, type Colour } from '../../src/model/colours.ts';
import { waitFor } from '../../src/model/wait.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import type { Workload } from '../../src/workload/start.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';
import { evict } from './support/evict.ts';

/** Kills a colour's pod without a farewell and waits for the next one. */
async function killPod({ namespace: { admin }, platform }: ClusterEnvironment, colour: Colour): Promise<void> {
  const name = `shop-${colour}-0`;
  const before = (await admin.read<Stored>('Pod', name))?.metadata.uid;
  await admin.delete('Pod', name, { grace: 0 });
  await waitFor(
    async () => {
      const now = await admin.read<Stored>('Pod', name);
      return now && now.metadata.uid !== before && (await platform.servers.observe(colour))?.running ? true : undefined;
    },
    { limit: 180_000, every: 100, what: `a new pod ${name}`, next: 'see kubectl describe pod' },
  );
}

async function more(workload: Workload): Promise<void> {
  const { acknowledged } = workload.stats();
  await workload.until((stats) => stats.acknowledged > acknowledged + 50, 120_000);
}

test('the pod of either colour is killed in every state: the release goes on, and nothing is lost', async () => {
  await withClusterEnvironment({}, async (test) => {
    const { verb, clients, platform, environment, namespace } = test;
    const { verdict } = await clients(async (workload) => {
      const kill = async (...colours: readonly Colour[]): Promise<void> => {
        for (const colour of colours) {
          await killPod(test, colour);
          await more(workload);
        }
      };
      await kill('blue');
      for (const each of ['seed', 'migrate', 'verify'] as const) {
        await verb(each);
        await kill('green', 'blue');
      }
      // A restart of the live server is told, and what was proved before it is proved again.
      await verb('verify');
      await verb('switch');
      await kill('green', 'blue');
      // A drain of the node cannot end the only server of a colour; a pooler has another.
      for (const colour of ['blue', 'green']) expect(await evict(namespace.name, `shop-${colour}-0`)).toBe(429);
      await waitFor(async () => ((await readStatus(environment, platform)).losslessRollback ? true : undefined), {
        limit: 120_000,
        every: 200,
        what: 'a lossless rollback',
        next: "see the servers' logs",
      });
      await verb('rollback');
      await kill('green', other('green'));
      for (const each of ['verify', 'switch', 'retire'] as const) await verb(each);
      await more(workload);
    });
    expect(verdict).toMatchObject({ ok: true });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', operation: null });
  });
});
