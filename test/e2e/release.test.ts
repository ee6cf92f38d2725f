import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { Pod } from '../../src/platform/kubernetes/pods.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient, withPooledSession } from '../../src/postgres/session.ts';
import type { Workload } from '../../src/workload/start.ts';
import { SecretWatch, verifiersOf } from '../support/secret-watch.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';
import { leftovers, nothingLeft } from './support/leftovers.ts';
import { allLogged, placesOf, secretsOf } from './support/no-secret.ts';

/**
 * What an application's role is told at the candidate's own address, from its first moment to the end of `work`: each
 * answer once.
 */
async function knocking({ platform, namespace }: ClusterEnvironment, work: () => Promise<void>): Promise<string[]> {
  const answers = new Set<string>();
  const password = await platform.secrets.role('shop_app');
  let over = false;
  const knock = async (): Promise<void> => {
    while (!over) {
      const host = (await namespace.admin.read<Pod>('Pod', 'shop-green-0'))?.status?.podIP;
      const answer =
        host &&
        (await withClient(
          { host, port: 5432, user: 'shop_app', password, database: 'shop' },
          'test',
          async () => 'in',
        ).catch(
          // Without a code nobody answered; 57P03 cannot_connect_now: it starts.
          ({ code, message }: { code?: string; message: string }) =>
            code?.length === 5 && code !== '57P03' ? message : undefined,
        ));
      if (answer !== undefined) answers.add(answer.replace(/ for host.*/, ''));
      await sleep(5);
    }
  };
  const knocked = knock();
  await work().finally(() => (over = true));
  await knocked;
  return [...answers];
}

/**
 * Passwords, keys and verifiers are in Secrets and nowhere else, whatever servers log: what one of them is asked on
 * purpose is found in its output.
 */
async function nothingSecretShown({ namespace: { admin }, on }: ClusterEnvironment, watch: SecretWatch): Promise<void> {
  const asked = randomBytes(18).toString('base64url');
  await on('green', (client) => client.query(`SELECT '${asked}'`));
  for (const secret of [...(await secretsOf(admin)), ...(await on('green', verifiersOf))]) watch.secrets.add(secret);
  expect(watch.secrets.size).toBeGreaterThan(10);
  expect(await placesOf(admin, [asked, ...watch.secrets])).toEqual(['output of pod/shop-green-0']);
}

test('a release goes forward, back, forward and is accepted on a real cluster, under load, and nothing is lost, left or told', async () => {
  const options = { kubernetes: { settings: allLogged }, declaration: { retention: { mode: 'scaled-down' } } };
  await withClusterEnvironment(options, async (test) => {
    const { verb, clients, platform, pauses, namespace, events } = test;
    const watch = new SecretWatch({ mayInherit: true });
    const released = async (workload: Workload): Promise<void> => {
      expect(await knocking(test, () => verb('seed'))).toEqual([
        expect.stringMatching(/^pg_hba.conf rejects connection/),
      ]);
      for (const each of ['migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
        await verb(each);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
        // The retained colour rests, as declared; a rollback wakes it.
        if (each === 'switch') expect(await platform.servers.observe('blue')).toMatchObject({ running: false });
        // Without a mesh nothing could weigh: refused before anything has changed.
        if (each === 'verify')
          await expect(verb('canary', { canary: 10 })).rejects.toMatchObject({
            id: 'gate-refused',
            facts: { findings: [{ id: 'canary-needs-istio' }] },
          });
      }
      await nothingSecretShown(test, watch);
      await verb('retire');
    };
    const { verdict } = await watch.during(() => clients(released));
    await nothingSecretShown(test, watch);
    expect((await watch.found([], [JSON.stringify(events)])).places).toEqual([]);
    console.log(
      `write pauses in ms, as the operator measured them: ${pauses.join(', ')}; as the clients saw them: ${verdict.pauses.map(({ ms }) => ms).join(', ')}`,
    );
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({
      state: 'single',
      live: 'green',
      liveRelease: '2',
      release: null,
      stream: null,
      closing: null,
      operation: null,
    });
    expect(await platform.history.list()).toMatchObject([{ from: '1', to: '2', outcome: 'released' }]);
    expect(await leftovers(platform, namespace.admin, 'green')).toEqual(nothingLeft('green', 2));
  });
});

test('clients that do not leave their transaction in time make the switchover give up, and nobody notices', async () => {
  await withClusterEnvironment({ limits: { pause: '500ms' } }, async ({ verb, clients, platform, on, environment }) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const { verdict } = await clients(async (workload) => {
      const held = Promise.withResolvers<void>();
      const [replica] = await platform.poolers.required();
      if (!replica) throw new Error('there is a replica');
      const sleeper = withPooledSession(
        await platform.poolers.client(replica, 'shop_app', environment.database),
        'sleeper',
        async (client) => {
          await client.query('BEGIN; SELECT 1');
          await held.promise;
          await client.query('COMMIT');
        },
      );
      await expect(verb('switch')).rejects.toMatchObject({ id: 'pause-timeout' });
      held.resolve();
      await sleeper;
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'verified', live: 'blue', operation: null });
    expect(await on('blue', (client) => rows(client, 'SELECT name FROM verdigris.fenced_role'))).toEqual([]);
    // What somebody writes on the candidate after it was compared is known by the candidate's own log.
    await on('green', (client) => client.query('UPDATE workload.account SET balance = balance + 1 WHERE id = 1'));
    await expect(verb('switch')).rejects.toMatchObject({
      id: 'gate-refused',
      facts: { findings: [{ id: 'candidate-written' }] },
    });
  });
});
