import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { forkIn } from '../../src/postgres/standby-seed.ts';
import { killAlongTheWay } from '../faults/kill-chain.ts';
import { served, withBench } from '../faults/support.ts';
import { withEnvironment } from '../support/environment.ts';
import {
  credentials,
  declaredPasswords,
  declaredServer,
  fillShop,
  withExternalServer,
  withStandby,
  type ExternalFixture,
} from '../support/external.ts';
import { failure } from '../support/failure.ts';
import { testMajor } from '../support/postgres.ts';
import { thereAndBack } from '../support/there-and-back.ts';
import { good } from '../support/verdict.ts';

function between(live: ExternalFixture, port: number): Record<string, unknown> {
  return {
    colours: {
      blue: { release: '1', postgres: testMajor, server: declaredServer(live) },
      green: { release: '2', postgres: testMajor, server: { ...declaredServer(live), port } },
    },
    seed: { method: 'standby' },
    local: { passwords: declaredPasswords },
  };
}

/** The live server with the shop and a slot for the standby, and that standby. */
async function withTwo(use: (live: ExternalFixture, port: number) => Promise<void>): Promise<void> {
  await withExternalServer(
    testMajor,
    async (live) => {
      await fillShop(live);
      await withClient(live.superuser, 'test', (client) =>
        client.query("SELECT pg_create_physical_replication_slot('theirs')"),
      );
      await withStandby(live, ({ port }) => use(live, port), {
        cluster_name: 'their-green',
        primary_slot_name: 'theirs',
      });
    },
    { cluster_name: 'their-blue' },
  );
}

test('a standby that others have made is promoted at exactly X under load; there and back and there: nothing is lost or left', async () => {
  await withTwo(async (live, port) => {
    await withBench({ declaration: between(live, port), existing: credentials }, thereAndBack);
  });
});

test(
  'a seed by a standby, killed before and after each entry of the journal, goes on to the same X',
  { timeout: 1_200_000 },
  async () => {
    await withTwo(async (live, port) => {
      await withBench({ declaration: between(live, port), existing: credentials }, async (bench) => {
        const { verdict } = await bench.exercise(async (workload) => {
          await killAlongTheWay(bench, 'seed', { options: { way: 'standby' } });
          await bench.settled({ state: 'seeded', live: 'blue' });
          for (const each of ['migrate', 'verify'] as const) await bench.verb(each);
          await served(workload, 50);
        });
        expect(verdict).toMatchObject(good);
      });
    });
  },
);

test('what is no standby of the live server, or is waited for, is refused before anything is made, and goes on following', async () => {
  await withExternalServer(testMajor, async (live) => {
    await fillShop(live);
    await withStandby(live, async ({ port }) => {
      const superuser = { ...live.superuser, database: 'shop' };
      const refused = (declaration: Record<string, unknown>) =>
        withEnvironment({ declaration, existing: credentials }, async ({ verb, on, platform }) => {
          const error = await failure(verb('seed'));
          expect(await on('blue', (client) => rows(client, 'SELECT FROM pg_replication_slots'))).toEqual([]);
          expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', release: null });
          return error;
        });
      await withExternalServer(testMajor, async (stranger) => {
        await fillShop(stranger);
        await withClient(stranger.superuser, 'test', (client) =>
          client.query("CREATE ROLE verdigris_operator SUPERUSER LOGIN PASSWORD 'x'"),
        );
        const declared = {
          ...declaredServer(stranger),
          user: 'verdigris_operator',
          password: { command: ['echo', 'x'] },
        };
        const base = between(live, port);
        const colours = {
          ...(base['colours'] as object),
          green: { release: '2', postgres: testMajor, server: declared },
        };
        expect(await refused({ ...base, colours })).toMatchObject({ id: 'standby-unfit' });
      });
      const waited = (value: string) =>
        withClient(superuser, 'test', async (client) => {
          await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${value}'`);
          await client.query('SELECT pg_reload_conf()');
        });
      await waited('their_standby');
      await withClient(superuser, 'test', (client) => client.query('SELECT txid_current()'));
      expect((await refused(between(live, port))).message).toContain(
        'waits for it at each commit (their_standby, sync)',
      );
      await waited('');
      await withClient({ ...superuser, port }, 'test', async (client) =>
        expect(await rows(client, 'SELECT pg_is_in_recovery() AS following')).toEqual([{ following: true }]),
      );
    });
  });
});

test('X is of the last line of a history file, whatever stands before it', () => {
  expect(forkIn('')).toBeUndefined();
  expect(forkIn('# a comment\n1\t0/61F0DC0\tno recovery target specified\n')).toEqual({
    from: 1,
    position: '0/61F0DC0',
  });
  expect(forkIn('1\t0/3000000\tbefore 2000-01-01\n\n2\t1A/61F0DC0\tno recovery target specified\n')).toEqual({
    from: 2,
    position: '1A/61F0DC0',
  });
});
