import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crossBarrier } from '../../src/postgres/barrier.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { literal } from '../../src/postgres/quote.ts';
import { untilStopped } from './operators.ts';
import { killServer, nothing, openBench, withOpenTransaction, type OpenBench } from './support.ts';
import { failure } from '../support/failure.ts';

const timeout = 600_000;

/** Rows by bulk and one by one, without waiting for the log: the tail of the log is torn at any instant. */
const fill = `CREATE SCHEMA load;
  CREATE TABLE load.row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, payload text NOT NULL, touched int NOT NULL DEFAULT 0);
  INSERT INTO load.row (kind, payload) SELECT 'old', repeat('x', 100) FROM generate_series(1, 5000)`;

describe('seeding', () => {
  let bench: OpenBench;
  beforeAll(async () => {
    bench = await openBench({ fill: async (client) => void (await client.query(fill)) });
  }, timeout);
  afterAll(async () => bench.close(), timeout);

  const single = async (): Promise<void> => {
    await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
    expect(await bench.leftovers()).toEqual(nothing);
  };

  test(
    'fault 2: a transaction that stays open at slot creation: given up after the limit, named, and blue is untouched',
    { timeout },
    async () => {
      await withOpenTransaction(
        await bench.as('shop_app', 'blue'),
        "INSERT INTO load.row (kind, payload) VALUES ('open', '')",
        async (client) => {
          const { pid } = await one<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid');
          const begun = performance.now();
          const refused = await failure(bench.limited({ slotCreation: 500 }).verb('seed'));
          expect(refused).toMatchObject({ code: 'failed', id: 'slot-timeout' });
          expect(refused.seen).toContain(`shop_app (pid ${pid}`);
          expect(performance.now() - begun).toBeLessThan(30_000);
          await client.query('COMMIT');
        },
      );
      await single();
    },
  );

  test(
    'fault 5: blue restarts during the snapshot, or before the subscription: the candidate is thrown away, and it is said why',
    { timeout },
    async () => {
      for (const stopAt of [
        { step: 'snapshot', status: 'started' },
        { step: 'unpark', status: 'done' },
      ] as const) {
        const operator = await bench.operators.start('seed', { stopAt });
        await untilStopped(operator, 60_000);
        await bench.platform.servers.stop('blue', stopAt.step === 'snapshot' ? 'fast' : 'immediate');
        await bench.platform.servers.start('blue');
        process.kill(operator.pid, 'SIGCONT');
        expect(await operator.ended, stopAt.step).toMatchObject({ how: 'failed', error: { id: 'live-restarted' } });
        await single();
      }
    },
  );

  test(
    'fault 7: green killed before X is written down: it is still parked, and X is the same',
    { timeout },
    async () => {
      expect(await bench.operators.run('seed', { dieAfter: 'restore' })).toEqual({ how: 'killed' });
      const parked = await bench.parkedPosition();
      for (const how of ['SIGKILL', 'immediate', 'fast'] as const) {
        if (how === 'SIGKILL') await killServer(bench, 'green');
        else await bench.platform.servers.stop('green', how);
        await bench.platform.servers.start('green');
        expect(await bench.parkedPosition(), how).toBe(parked);
      }
      await killServer(bench, 'green');
      await bench.verb('seed');
      expect((await bench.journal()).release?.seed.position).toBe(parked);
      await bench.verb('abandon');
      await single();
    },
  );

  test(
    'fault 8: green promoted before X was written down: refused, the candidate is thrown away',
    { timeout },
    async () => {
      expect(await bench.operators.run('seed', { dieAfter: 'restore' })).toEqual({ how: 'killed' });
      await bench.on('green', (client) => client.query('SELECT pg_promote(true, 60)'));
      expect(await failure(bench.verb('seed'))).toMatchObject({ code: 'failed', id: 'promoted-early' });
      await single();
    },
  );

  test('fault 10: X below C is refused', { timeout }, async () => {
    expect(await bench.operators.run('seed', { dieAfter: 'restore' })).toEqual({ how: 'killed' });
    await bench.operator((c) =>
      c.ledger.write((journal) => ({
        ...journal,
        release: journal.release && { ...journal.release, seed: { ...journal.release.seed, slotLsn: 'FFFF/0' } },
      })),
    );
    expect(await failure(bench.verb('seed'))).toMatchObject({ code: 'failed', id: 'position-before-slot' });
    await single();
  });

  test(
    'fault 11: killed between create and advance, and between advance and enable: still disabled, redone without harm',
    { timeout },
    async () => {
      expect(await bench.operators.run('seed', { dieAfter: 'unpark' })).toEqual({ how: 'killed' });
      // Create without advance, as a kill between the two statements of one step leaves it.
      const { stream, release } = await bench.journal();
      const conninfo = `${await bench.platform.servers.conninfo('blue')} dbname=shop user=verdigris_replication`;
      await bench.on('green', (client) =>
        client.query(`CREATE SUBSCRIPTION ${stream?.name} CONNECTION ${literal(conninfo)} PUBLICATION ${stream?.name}
      WITH (copy_data = false, create_slot = false, enabled = false, slot_name = '${stream?.name}', disable_on_error = true)`),
      );
      expect(await bench.operators.run('seed', { dieAfter: 'subscription' })).toEqual({ how: 'killed' });
      const state = await bench.on('green', (client) =>
        rows(
          client,
          `SELECT subenabled AS enabled, remote_lsn::text AS begins FROM pg_subscription s
            JOIN pg_replication_origin_status o ON o.external_id = 'pg_' || s.oid`,
        ),
      );
      expect(state).toEqual([{ enabled: false, begins: release?.seed.position }]);
      await bench.on('blue', (client) => client.query("INSERT INTO load.row (kind, payload) VALUES ('after X', '')"));
      await bench.verb('seed');
      expect(await bench.digest('green')).toEqual(await bench.digest('blue'));
      await bench.verb('abandon');
      await single();
    },
  );

  test('fault 4: a snapshot that is incomplete is refused, and everything is cleared', { timeout }, async () => {
    expect(await bench.operators.run('seed', { dieBefore: 'restore' })).toEqual({ how: 'killed' });
    const { release } = await bench.journal();
    await rm(path.join(bench.platform.places.snapshot(release?.seed.snapshot ?? ''), 'complete'));
    expect(await failure(bench.verb('seed'))).toMatchObject({ code: 'failed', id: 'snapshot-missing' });
    await single();
  });

  test(
    'fault 6: torn tails: eight images in a row under bulk load and asynchronous commits, each exact to the row',
    { timeout },
    async () => {
      let written = 0;
      for (let image = 1; image <= 8; image++) {
        await bench.loading(async () => bench.verb('seed'));
        const { stream } = await bench.journal();
        await bench.on('blue', (from) => bench.on('green', (to) => crossBarrier(from, to, stream?.name ?? '', 60_000)));
        const [blue, green] = [await bench.digest('blue'), await bench.digest('green')];
        expect(green, `image ${image}`).toEqual(blue);
        await bench.verb('abandon');
        written +=
          (await bench.on('blue', (client) => client.query("DELETE FROM load.row WHERE kind <> 'old'"))).rowCount ?? 0;
        await bench.on('blue', (client) => client.query('VACUUM FULL load.row'));
      }
      expect(written).toBeGreaterThan(1_000);
      await single();
    },
  );
});
