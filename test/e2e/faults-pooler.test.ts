import { expect, test } from 'vitest';
import { consoleUser } from '../../src/manifests/pooler-users.ts';
import { Console } from '../../src/platform/poolers/console.ts';
import type { Replica } from '../../src/platform/poolers/consoles.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { untilStopped } from '../faults/operators.ts';
import { served } from '../faults/support.ts';
import { nothing, withClusterBench, type ClusterBench } from './support/faults.ts';
import { until } from '../support/until.ts';

const timeout = 1_800_000;

async function aReplica({ platform }: ClusterBench): Promise<Replica> {
  const [replica] = await platform.poolers.required();
  if (!replica) throw new Error('there is a replica');
  return replica;
}

/** A pooler that answers nobody, as one whose node hangs: its process no longer reads. */
async function withSuspended(bench: ClusterBench, use: () => Promise<void>): Promise<void> {
  const console = await Console.open(
    { ...(await aReplica(bench)).address, user: consoleUser, password: await bench.platform.secrets.console() },
    'test',
  );
  try {
    await console.say('SUSPEND');
    await use();
  } finally {
    await console.say('RESUME');
    await console.close();
  }
}

test(
  'fault 26: a pooler that cannot be reached stops the switchover; the fence rejects a client that goes round it; no write is lost',
  { timeout },
  async () => {
    await withClusterBench(
      {
        guard: false,
        fill: async (client) =>
          void (await client.query('CREATE TABLE round (id int PRIMARY KEY); GRANT INSERT ON round TO shop_app')),
      },
      async (bench) => {
        const { operators, platform, environment, settled, on } = bench;
        const { verdict } = await bench.exercise(async (workload) => {
          for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
          await withSuspended(bench, async () => {
            expect(await operators.run('switch')).toMatchObject({ how: 'failed', error: { id: 'pooler-unreachable' } });
          });
          await settled({ state: 'verified', live: 'blue' });
          await served(workload);
          // Straight to the server, as a client that was never told of the poolers.
          const direct = {
            ...(await platform.servers.connection('blue')),
            user: 'shop_app',
            password: await platform.secrets.role('shop_app'),
            database: environment.database,
          };
          const acknowledged: number[] = [];
          const begun = Promise.withResolvers<void>();
          const rejected = withClient(direct, 'round', async (client) => {
            for (let id = 1; ; id++) {
              await client.query('INSERT INTO round VALUES ($1)', [id]);
              acknowledged.push(id);
              begun.resolve();
            }
          }).then(
            () => undefined,
            (error: unknown) => error,
          );
          await begun.promise;
          await bench.verb('switch');
          expect(await rejected).toBeInstanceOf(Error);
          await expect(
            withClient(direct, 'round', (client) => client.query('INSERT INTO round VALUES (-1)')),
          ).rejects.toThrow(/not permitted to log in/);
          const there = await on('green', (client) => rows<{ id: number }>(client, 'SELECT id FROM round ORDER BY id'));
          // The last one may have been committed without its answer having arrived.
          expect(there.map(({ id }) => id).slice(0, acknowledged.length)).toEqual(acknowledged);
          expect(there.length - acknowledged.length).toBeLessThanOrEqual(1);
          await served(workload);
          await bench.harvest();
          await bench.verb('retire');
        });
        expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
        expect(await bench.leftovers()).toEqual(nothing);
      },
    );
  },
);

test(
  "fault 26: a pooler goes while clients are held, and the operator with it: the other one's guard settles it, and no acknowledged write is lost",
  { timeout },
  async () => {
    await withClusterBench({ guard: true }, async (bench) => {
      const {
        operators,
        platform,
        journal,
        settled,
        namespace: { admin },
      } = bench;
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        const sleeper = await operators.start('switch', { stopAt: { step: 'fence', status: 'done' } });
        await untilStopped(sleeper, 120_000);
        await admin.delete('Pod', (await aReplica(bench)).pod, { grace: 0 });
        process.kill(sleeper.pid, 'SIGKILL');
        expect(await sleeper.ended).toEqual({ how: 'killed' });
        await until(
          'the recovery by the guard',
          async () => (await journal()).operation === null && (await platform.leases.holder()) === undefined,
          180_000,
        );
        await settled({ state: 'verified', live: 'blue' });
        await served(workload);
        await until('both poolers', async () => (await platform.poolers.replicas()).length === 2, 120_000);
        await bench.verb('switch');
        await served(workload);
        await bench.harvest();
        await bench.verb('retire');
      });
      // Those that the pooler served were cut off with it, and refused by the fence until the recovery: errors, and no
      // loss.
      expect(verdict).toMatchObject({ ok: true });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
