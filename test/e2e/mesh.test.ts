import { execa } from 'execa';
import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import { probeDatabases } from '../../src/manifests/pooler-settings.ts';
import { waitFor } from '../../src/model/wait.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { Kept } from '../../src/platform/poolers/kept.ts';
import { rows } from '../../src/postgres/client.ts';
import type { WorkloadVerdict } from '../../src/workload/verdict.ts';
import type { Workload } from '../../src/workload/start.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';
import { clientPod, clientsInPod, inPod, type InCluster } from './support/pods.ts';

/** Connects `count` times, one after the other, and says how often each colour answered. */
const reader = `import pg from '/verdigris/node_modules/pg/esm/index.mjs';
const { count, ...settings } = JSON.parse(process.argv[1]);
const seen = {};
for (let turn = 0; turn < count; turn++) {
  const client = new pg.Client(settings);
  await client.connect();
  const { rows } = await client.query("SELECT current_setting('cluster_name') AS name");
  await client.end();
  seen[rows[0].name] = (seen[rows[0].name] ?? 0) + 1;
}
console.log(JSON.stringify(seen));`;

/** Connections of a reader in a pod to the readers' Service, by the colour that they came to. */
async function readersFrom(
  { environment, platform, namespace: { name } }: ClusterEnvironment,
  pod: string,
  count: number,
): Promise<Record<string, number>> {
  const settings = {
    count,
    host: `${objectNames.reads(environment.name)}.${name}.svc`,
    port: 5432,
    user: 'shop_reader',
    password: await platform.secrets.role('shop_reader'),
    database: environment.database,
  };
  const [program, ...args] = inPod(name, pod, ['node', '--input-type=module', '-e', reader, JSON.stringify(settings)]);
  return JSON.parse((await execa(program, args)).stdout) as Record<string, number>;
}

/**
 * The same through the poolers, by the entry that nobody else uses: its connection to a server is made again before
 * each question.
 */
async function readersThroughPoolers(
  { platform }: ClusterEnvironment,
  rounds: number,
): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  const [, database] = probeDatabases;
  for (const replica of await platform.poolers.required()) {
    const kept = await Kept.open(await platform.poolers.client(replica, 'shop_reader', database), 'test');
    for (let round = 0; round < rounds; round++) {
      await waitFor(async () => ((await platform.poolers.reconnect(replica, database)) ? true : undefined), {
        limit: 10_000,
        every: 2,
        slowest: 10,
        what: 'no login under way',
        next: 'see SHOW POOLS',
      });
      const [row] = await rows<{ name: string }>(kept.client, "SELECT current_setting('cluster_name') AS name");
      seen[row?.name ?? '?'] = (seen[row?.name ?? '?'] ?? 0) + 1;
    }
    await kept.close();
  }
  return seen;
}

/** Within four standard deviations: one run in 16,000 is outside by chance. */
function expectShare(seen: Record<string, number>, percent: number): void {
  const [blue, green] = [seen['shop-blue'] ?? 0, seen['shop-green'] ?? 0];
  const [count, share] = [blue + green, percent / 100];
  const deviation = Math.sqrt(count * share * (1 - share));
  expect(
    Math.abs(green - count * share),
    `${green} of ${count} connections were on green, ${percent} % were asked for`,
  ).toBeLessThanOrEqual(4 * deviation);
}

async function more(workload: Workload, writes = 50): Promise<void> {
  const { acknowledged } = workload.stats();
  await workload.until((stats) => stats.acknowledged > acknowledged + writes, 120_000);
}

test('clients in pods, in the mesh and outside it, through the poolers and past them, live through a release with its canary and a rollback', async () => {
  await withClusterEnvironment(
    { namespaceLabels: { 'istio-injection': 'enabled' }, kubernetes: { istio: true } },
    async (test) => {
      const { verb, platform, pauses } = test;
      const kinds: InCluster[] = [
        { sidecar: true, through: 'pooler' },
        { sidecar: false, through: 'pooler' },
        { sidecar: true, through: 'service' },
        { sidecar: false, through: 'service' },
      ];
      const verdicts = new Map<InCluster, WorkloadVerdict>();
      const release = async (workloads: readonly Workload[]): Promise<void> => {
        const settle = () => Promise.all(workloads.map((workload) => more(workload)));
        for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
        expect(await readersFrom(test, 'clients-mesh-service', 20)).toEqual({ 'shop-blue': 20 });

        await verb('canary', { canary: 30 });
        await settle();
        expectShare(await readersFrom(test, 'clients-mesh-service', 300), 30);
        expectShare(await readersThroughPoolers(test, 100), 30);
        // A selector knows no weights: outside the mesh everybody reads where he writes.
        expect(await readersFrom(test, 'clients-plain-service', 50)).toEqual({ 'shop-blue': 50 });
        await verb('canary', { canary: 80 });
        await settle();
        expectShare(await readersFrom(test, 'clients-mesh-service', 300), 80);

        await verb('switch');
        await settle();
        expect(await readersFrom(test, 'clients-mesh-service', 20)).toEqual({ 'shop-green': 20 });
        expect(await readersThroughPoolers(test, 5)).toEqual({ 'shop-green': 10 });
        await verb('rollback');
        await settle();
        for (const each of ['verify', 'switch', 'retire'] as const) await verb(each);
        await settle();
      };
      const nest = async ([kind, ...rest]: readonly InCluster[], running: readonly Workload[]): Promise<void> => {
        if (!kind) return release(running);
        const { verdict } = await clientsInPod(test, kind, (workload) => nest(rest, [...running, workload]), {
          rate: 20,
        });
        verdicts.set(kind, verdict);
      };
      await nest(kinds, []);
      console.log(
        `write pauses in ms, as the operator measured them: ${pauses.join(', ')}; as clients in the mesh saw them: ${verdicts
          .get(kinds[0] as InCluster)
          ?.pauses.map(({ ms }) => ms)
          .join(', ')}`,
      );
      for (const [{ sidecar, through }, verdict] of verdicts) {
        // Who goes past the poolers is cut off by the fence, and has to connect again; nothing is lost all the same.
        expect(verdict, `${sidecar ? 'with' : 'without'} a sidecar, through the ${through}`).toMatchObject({
          ok: true,
          ...(through === 'pooler' ? { errors: { statements: 0, connects: 0 } } : {}),
        });
      }
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', operation: null });
    },
  );
});

test('outside the mesh weights have no effect on the poolers, which is reported, and they have on readers with a sidecar', async () => {
  await withClusterEnvironment({ kubernetes: { istio: true, pooler: { replicas: 1 } } }, async (test) => {
    const { verb, clients, events } = test;
    const { verdict } = await clients(async (workload) => {
      await clientPod(test, 'reader', true);
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      await verb('canary', { canary: 50 });
      expect(
        events.flatMap((event) => (event.type === 'finding' && event.gate === 'canary' ? [event.finding] : [])),
      ).toMatchObject([{ id: 'canary-outside-mesh', grade: 'warn' }]);
      expectShare(await readersFrom(test, 'reader', 200), 50);
      expect(await readersThroughPoolers(test, 20)).toEqual({ 'shop-blue': 20 });
      await verb('abandon');
      expect(await readersFrom(test, 'reader', 20)).toEqual({ 'shop-blue': 20 });
      await more(workload);
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
  });
});
