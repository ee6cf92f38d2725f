import { beforeAll, expect, test } from 'vitest';
import { coversThePlan, killAlongTheWay } from '../faults/kill-chain.ts';
import { killEverywhere } from '../faults/kill-everywhere.ts';
import { nothing, served, withBench, type FaultBench } from '../faults/support.ts';
import { readShape } from '../../src/postgres/database-shape.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';

/** Ten times what an idle machine needs. */
const timeout = 2_400_000;

beforeAll(withNewestPgDump);

/** Two managed services, no superuser on either. */
async function withManagedBench(use: (bench: FaultBench) => Promise<void>): Promise<void> {
  await betweenManaged((declaration) => withBench({ deadman: false, declaration, existing: credentials }, use));
}

test(
  'without a superuser: seed and abandon, killed before and after every entry of the journal; nothing is lost or left',
  { timeout },
  async () => {
    await withManagedBench(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        const logical = { options: { way: 'logical' } } as const;
        coversThePlan('seed', await killAlongTheWay(bench, 'seed', logical), logical.options);
        await bench.settled({ state: 'seeded', live: 'blue' });
        for (const verb of ['migrate', 'verify'] as const) await bench.verb(verb);
        coversThePlan('abandon', await killAlongTheWay(bench, 'abandon'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'without a superuser: switch, killed before and after every entry of the journal; nothing is lost',
  { timeout },
  async () => {
    await withManagedBench(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
      });
      expect(verdict).toMatchObject(good);
    });
  },
);

test(
  'without a superuser: rollback and retire, killed before and after every entry of the journal; nothing is lost or left',
  { timeout },
  async () => {
    await withManagedBench(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'rollback', {}, 'switched', 'migrated');
        for (const verb of ['verify', 'switch'] as const) await bench.verb(verb);
        await bench.harvest();
        coversThePlan('retire', await killAlongTheWay(bench, 'retire'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'green', release: null, stream: null, closing: null });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'killed between the drop of a database that a seed had filled and its making, the next command makes it',
  { timeout },
  async () => {
    await betweenServers(async (declaration, _, { superuser }) => {
      const before = await withClient(superuser, 'test', async (client) => {
        await client.query('CREATE DATABASE shop CONNECTION LIMIT 50');
        await client.query("COMMENT ON DATABASE shop IS 'theirs'");
        return readShape(client, 'shop');
      });
      await withBench({ deadman: false, declaration, existing: credentials }, async (bench) => {
        expect(await bench.operators.run('seed', { dieBefore: 'subscription' })).toEqual({ how: 'killed' });
        // Theirs are closed out by now.
        await withClient(await bench.platform.servers.connection('green'), 'test', async (client) => {
          // CREATE DATABASE waits for its template.
          await client.query('BEGIN');
          await client.query("COMMENT ON DATABASE template0 IS 'held'");
          const operator = await bench.operators.start('abandon');
          const dropped = async () => (await readShape(client, 'shop')) === undefined;
          await until('the database is dropped', dropped, 60_000);
          process.kill(operator.pid, 'SIGKILL');
          expect(await operator.ended).toEqual({ how: 'killed' });
          const making = "FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%'";
          await client.query(`SELECT pg_terminate_backend(pid, 10000) ${making}`);
          await client.query('ROLLBACK');
          expect(await dropped()).toBe(true);
          await bench.recover();
          expect(await readShape(client, 'shop')).toEqual(before);
        });
        await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
        await bench.verb('seed');
        await bench.verb('abandon');
      });
    });
  },
);
