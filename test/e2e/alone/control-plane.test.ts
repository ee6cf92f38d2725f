import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { expect, test } from 'vitest';
import { objectNames } from '../../../src/manifests/names.ts';
import { waitFor } from '../../../src/model/wait.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { Cluster } from '../../../src/platform/kubernetes/cluster.ts';
import { isReady, type Pod } from '../../../src/platform/kubernetes/pods.ts';
import { rows } from '../../../src/postgres/client.ts';
import type { Workload } from '../../../src/workload/start.ts';
import { withClusterEnvironment, type ClusterEnvironment } from '../support/environment.ts';
import { administrator } from '../support/namespace.ts';

/** Starts what of the test cluster does not run: VERDIGRIS_CLUSTER_UP, else `../shared/cluster/up` beside the clone. */
async function clusterUp(): Promise<void> {
  const up =
    process.env['VERDIGRIS_CLUSTER_UP'] ?? fileURLToPath(new URL('../../../../shared/cluster/up', import.meta.url));
  // Now and then it takes its own address for missing, and ends before it has done anything.
  const start = (): Promise<boolean> =>
    waitFor(
      async () =>
        (await execa(up, { stdio: 'ignore', timeout: 180_000, reject: false })).exitCode === 0 ? true : undefined,
      { limit: 360_000, every: 500, what: 'the cluster up again', next: `see ${up}` },
    );
  await start();
  // It gives kube-proxy a new configuration, at which that one ends: the second call starts it.
  const pid = await partOf('proxy');
  const ended = await waitFor(() => Promise.resolve(existsSync(`/proc/${pid}`) ? undefined : true), {
    limit: 15_000,
    every: 50,
    what: 'the end of kube-proxy',
    next: '',
  }).catch(() => false);
  if (ended) await start();
}

async function partOf(name: string): Promise<number> {
  const state = process.env['CLUSTER_STATE'];
  if (state === undefined)
    throw new Error(
      'CLUSTER_STATE is not set: these tests stop parts of the test cluster, and must know where its pid files are',
    );
  return Number(await readFile(path.join(state, 'run', `${name}.pid`), 'utf8'));
}

async function killPart(name: string): Promise<void> {
  process.kill(await partOf(name), 'SIGKILL');
}

async function until(what: string, look: () => boolean | Promise<boolean>, limit = 180_000): Promise<void> {
  await waitFor(async () => ((await look()) ? true : undefined), {
    limit,
    every: 1,
    slowest: 2,
    what,
    next: 'see the test',
  });
}

function stepSeen({ events }: ClusterEnvironment, step: string, status: string): boolean {
  return events.some(
    (event) => event.type === 'step' && event.verb === 'switch' && event.step === step && event.status === status,
  );
}

async function more(workload: Workload): Promise<void> {
  const { acknowledged } = workload.stats();
  await workload.until((stats) => stats.acknowledged > acknowledged + 100, 180_000);
}

test('the API server dies in a switchover: nothing has moved; the next command lets clients go on, the one after it switches', async () => {
  await withClusterEnvironment({}, async (test) => {
    const { verb, operator, clients, platform, on } = test;
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      const killed = until('the fence', () => stepSeen(test, 'fence', 'started')).then(() => killPart('apiserver'));
      const failure: unknown = await verb('switch').then(
        () => undefined,
        (error: unknown) => error,
      );
      await killed;
      expect(failure).toBeInstanceOf(Error);
      await clusterUp();
      await until('a recovery', () =>
        operator(async () => undefined).then(
          () => true,
          () => false,
        ),
      );
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'verified', live: 'blue', operation: null });
      expect(await on('blue', (client) => rows(client, 'SELECT name FROM verdigris.fenced_role'))).toEqual([]);
      await more(workload);
      await verb('switch');
      await more(workload);
    });
    console.log(`longest pause ${verdict.pause?.ms} ms; errors ${JSON.stringify(verdict.errors.byCode)}`);
    expect(verdict).toMatchObject({ ok: true });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green', operation: null });
  });
});

test('istiod away beforehand: nobody is held; away behind the commit point: clients are held until their way leads to the new live colour', async () => {
  const istio = Cluster.of(administrator(), 'istio-system');
  const kubectl = (...args: string[]): void => void execaSync('kubectl', ['--namespace', 'istio-system', ...args]);
  const ready = async (): Promise<void> => {
    await istio.merge('Deployment', 'istiod', { spec: { replicas: 1 } });
    await until('istiod ready', async () => (await istio.list<Pod>('Pod', { app: 'istiod' })).some(isReady));
  };
  /** Returns when it is gone; nothing else of this process, the operator in it, goes on meanwhile. */
  const away = (): void => {
    kubectl('scale', 'deployment/istiod', '--replicas=0');
    kubectl('delete', 'pod', '--selector=app=istiod', '--now', '--timeout=60s');
    kubectl('wait', '--for=delete', 'pod', '--selector=app=istiod', '--timeout=60s');
  };
  try {
    await withClusterEnvironment(
      { namespaceLabels: { 'istio-injection': 'enabled' }, kubernetes: { istio: true } },
      async (test) => {
        const { verb, clients, platform, events, pauses } = test;
        const { verdict } = await clients(async (workload) => {
          for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
          away();
          await expect(verb('switch')).rejects.toMatchObject({
            id: 'cluster-refused',
            seen: expect.stringContaining('istiod') as string,
          });
          expect(pauses).toEqual([]);
          expect(await readJournal(platform.journal)).toMatchObject({
            state: 'verified',
            live: 'blue',
            operation: null,
          });
          await more(workload);
          await ready();
          await until('the webhook', async () => {
            const route = await platform.cluster.read('VirtualService', objectNames.writes('shop'));
            return (
              route !== undefined &&
              platform.cluster.replace(route, { dryRun: true }).then(
                () => true,
                () => false,
              )
            );
          });

          const push = events.push.bind(events);
          let gone = false;
          events.push = (...added) => {
            // The first step behind the commit point.
            if (
              !gone &&
              added.some(
                (event) =>
                  event.type === 'step' &&
                  event.verb === 'switch' &&
                  event.step === 'open' &&
                  event.status === 'started',
              )
            ) {
              gone = true;
              away();
            }
            return push(...added);
          };
          const switching = verb('switch');
          switching.catch(() => undefined);
          await until('the route', () => stepSeen(test, 'route', 'started'));
          expect((await platform.traffic.status()).held).toBeDefined();
          await ready();
          await switching;
          await more(workload);
        });
        console.log(`the pause without istiod: ${verdict.pauses.map(({ ms }) => ms).join(', ')} ms`);
        expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
        expect(await readJournal(platform.journal)).toMatchObject({
          state: 'switched',
          live: 'green',
          operation: null,
        });
      },
    );
  } finally {
    await istio.merge('Deployment', 'istiod', { spec: { replicas: 1 } });
    istio.close();
  }
});
