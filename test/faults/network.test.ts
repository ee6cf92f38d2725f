import { expect, test } from 'vitest';
import { other, type Colour } from '../../src/model/colours.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import type { Servers } from '../../src/platform/port/servers.ts';
import { rows } from '../../src/postgres/client.ts';
import { good } from '../support/verdict.ts';
import { Forwarder } from './forwarder.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;
const kibibyte = 1024;

/** The bench's platform, with a network between the colours where a machine has a socket. */
async function overNetwork(bench: FaultBench, ways: Map<Colour, Forwarder>): Promise<FaultBench['platform']> {
  const servers = new Proxy<Servers>(bench.platform.servers, {
    get(target, name) {
      if (name === 'replicationPassword') return () => Promise.resolve('copper');
      if (name === 'conninfo') {
        return async (colour: Colour) => {
          const way = ways.get(colour) ?? (await Forwarder.to((await target.connection(colour)).port));
          ways.set(colour, way);
          return `host=127.0.0.1 port=${way.port} password=copper`;
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return Object.create(bench.platform, { servers: { value: servers } }) as FaultBench['platform'];
}

test(
  'fault 14: the network between the colours is cut, forward and after the switchover: the gate says the lag, it catches up by itself, nothing is doubled',
  { timeout },
  async () => {
    // The servers notice after three seconds instead of a minute; they are cut off for several times that.
    await withBench(
      { limits: { lag: '256KiB' }, settings: { wal_sender_timeout: '3s', wal_receiver_timeout: '3s' } },
      async (bench) => {
        const ways = new Map<Colour, Forwarder>();
        const platform = await overNetwork(bench, ways);
        const verb = (name: Verb): Promise<void> =>
          withOperator(
            {
              environment: bench.environment,
              platform,
              emit: (event) => bench.events.push(event),
              signal: new AbortController().signal,
            },
            name,
            (c) => perform(c, name, { early: true }),
          );
        const status = () => readStatus(bench.environment, bench.platform);
        /** Cuts the way to the live colour until both servers gave up their connections, twice over. */
        const cutOff = async (live: Colour, next: Verb): Promise<void> => {
          const way = ways.get(live);
          const name = (await bench.journal()).stream?.name ?? '';
          const worker = async () =>
            (
              await bench.on(other(live), (client) =>
                rows<{ pid: number | null }>(client, 'SELECT pid FROM pg_stat_subscription WHERE subname = $1', [name]),
              )
            )[0]?.pid;
          const before = await worker();
          way?.cut();
          await until('the lag', async () => ((await status()).replication?.lagBytes ?? 0) > 512 * kibibyte, 120_000);
          const refused = await failure(verb(next));
          expect(refused).toMatchObject({
            code: 'refused',
            facts: {
              findings: expect.arrayContaining([expect.objectContaining({ id: 'lag', grade: 'refuse' })]) as unknown,
            },
          });
          await until(
            'the sender gave up',
            async () =>
              (
                await bench.on(live, (client) =>
                  rows<{ active: boolean }>(client, 'SELECT active FROM pg_replication_slots WHERE slot_name = $1', [
                    name,
                  ]),
                )
              )[0]?.active === false,
            60_000,
          );
          await until('the worker gave up', async () => (await worker()) !== before, 60_000);
          way?.heal();
          await until(
            'in step again',
            async () => {
              const { replication } = await status();
              return (
                replication?.applying === true && (replication.lagBytes ?? Number.POSITIVE_INFINITY) < 128 * kibibyte
              );
            },
            120_000,
          );
        };
        try {
          const { verdict } = await bench.exercise(async (workload) => {
            for (const name of ['seed', 'migrate', 'verify'] as const) await verb(name);
            await cutOff('blue', 'switch');
            await verb('switch');
            await served(workload);
            await cutOff('green', 'rollback');
            await verb('rollback');
            // Every row of both colours is compared.
            await verb('verify');
            await served(workload);
            await bench.harvest();
            await verb('abandon');
          });
          expect(verdict).toMatchObject(good);
          expect(await bench.leftovers()).toEqual(nothing);
        } finally {
          for (const way of ways.values()) way.close();
        }
      },
    );
  },
);
