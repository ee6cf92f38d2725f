import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { waitFor } from '../../../src/model/wait.ts';
import { one, rows } from '../../../src/postgres/client.ts';
import { readSlot } from '../../../src/postgres/stream/slot.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { fill, main, names, release, withFolder, withSoftwareN, wrong } from '../backfill-release.ts';

/** Forty processes come and go: on a busy machine that takes its time. */
const timeout = 1_200_000;
const limit = 1024 ** 2;

/** The rows that a backfill on this colour has looked at, as committed. */
const seenOn = (environment: TestEnvironment, colour: 'blue' | 'green', name: string): Promise<number> =>
  environment.on(colour, async (client) => {
    if ((await rows(client, "SELECT FROM pg_class WHERE oid = to_regclass('verdigris.backfill')")).length === 0)
      return 0;
    return (
      (
        await rows<{ seen: number }>(client, 'SELECT rows_seen::int AS seen FROM verdigris.backfill WHERE name = $1', [
          name,
        ])
      )[0]?.seen ?? 0
    );
  });

/** Starts the command again and again, and kills it by SIGKILL a moment after it got further; says how far each got. */
async function killed(
  environment: TestEnvironment,
  { kills, count }: { readonly kills: number; readonly count: number },
  command: readonly string[],
  seen: () => Promise<number>,
): Promise<number[]> {
  const places: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const until = (await seen()) + 1 + Math.floor(Math.random() * 300);
    const child = execa(process.execPath, [main, ...command, '--json', '--file', environment.declaration], {
      reject: false,
      env: { VERDIGRIS_HOME: environment.home },
    });
    let ended: string | undefined;
    void child.then(({ stdout }) => (ended = stdout));
    await waitFor(
      async () => {
        if (ended !== undefined) throw new Error(`it ended by itself: ${ended}`);
        return (await seen()) >= until ? true : undefined;
      },
      { limit: 120_000, every: 1, slowest: 10, what: 'progress', next: '' },
    );
    await sleep(Math.random() * 20);
    child.kill('SIGKILL');
    expect(await child).toMatchObject({ signal: 'SIGKILL' });
    places.push(await seen());
  }
  // Each began where the one before it was killed, and none at the beginning.
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(new Set(places).size).toBe(kills);
  expect(places.at(-1)).toBeLessThan(count);
  return places;
}

/** The most that replication was behind while `use` ran, in bytes. */
async function lagOf(environment: TestEnvironment, use: () => Promise<void>): Promise<number> {
  const { stream } = await environment.operator((c) => Promise.resolve(c.journal));
  let running = true;
  let most = 0;
  const watching = environment.on('blue', async (client) => {
    for (; running; await sleep(2))
      most = Math.max(most, (await readSlot(client, stream?.name ?? ''))?.behind ?? Infinity);
  });
  await use().finally(() => (running = false));
  await watching;
  return most;
}

test(
  'migrate killed by SIGKILL at 6 random points of its backfill while clients write: goes on each time, and every row is filled once',
  { timeout },
  async () => {
    const count = 20_000;
    const narrow = `${fill}batch: { rows: 20, time: 10s }\n`;
    await withFolder({ ...names, '0002_names.backfill.yaml': narrow }, async (folder, write) => {
      await withEnvironment(release(folder, {}, count), async (environment) => {
        const { verdict } = await environment.clients(async () => {
          await environment.verb('seed');
          await withSoftwareN(environment, 100_000, async () => {
            await killed(environment, { kills: 6, count }, ['migrate'], () =>
              seenOn(environment, 'green', '0002_names'),
            );
            // What is left goes in larger batches: limits may change in the middle.
            await write('0002_names.backfill.yaml', fill);
            await environment.verb('migrate');
            await environment.verb('verify');
          });
          expect(
            await environment.on('green', (client) =>
              one(
                client,
                `SELECT min(times) AS least, max(times) AS most, count(*)::int AS n FROM person WHERE id > 500 AND id <= ${count}`,
              ),
            ),
          ).toEqual({ least: 1, most: 1, n: count - 500 });
          expect(await wrong(environment, 'green')).toEqual({ n: 0 });
          await environment.verb('switch');
        });
        expect(verdict).toMatchObject({ ok: true });
        expect(await wrong(environment, 'green')).toEqual({ n: 0 });
      });
    });
  },
);

test(
  'on the live colour: killed at 20 random points with clients and a slow subscriber, exact at the end, replication never past its limit',
  { timeout },
  async () => {
    const count = 15_000;
    const nick = (rest: string): string =>
      `table: person\nset: nick = coalesce(nick, '') || 'n' || id\nwhere: nick IS NULL\nlimits: { lag: 1MiB, active: 50 }\n${rest}`;
    await withFolder(
      {
        '0001_index.sql': 'CREATE INDEX ON person (nick);\n',
        '0002_nick.backfill.yaml': nick('batch: { rows: 20, time: 10s }\n'),
      },
      async (folder, write) => {
        await withEnvironment(release(folder, {}, count), async (environment) => {
          const { verdict } = await environment.clients(async () => {
            await environment.verb('seed');
            await environment.verb('migrate');
            // A millisecond for each row that arrives: without a brake the subscriber would be left behind by
            // megabytes.
            await environment.on('green', (client) =>
              client.query(
                `CREATE FUNCTION verdigris.slow() RETURNS trigger LANGUAGE plpgsql
                  AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END';
                CREATE TRIGGER verdigris_slow BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION verdigris.slow();
                ALTER TABLE person ENABLE ALWAYS TRIGGER verdigris_slow`,
              ),
            );
            const lag = await lagOf(environment, async () => {
              await killed(environment, { kills: 20, count }, ['backfill', '--live'], () =>
                seenOn(environment, 'blue', '0002_nick'),
              );
              await write('0002_nick.backfill.yaml', nick('batch: { time: 50ms }\n'));
              const { exitCode, stdout } = await execa(
                process.execPath,
                [main, 'backfill', '--live', '--json', '--file', environment.declaration],
                { reject: false, env: { VERDIGRIS_HOME: environment.home } },
              );
              expect({ exitCode, stdout }).toMatchObject({
                exitCode: 0,
                stdout: expect.stringContaining('waiting: replication is'),
              });
            });
            expect(
              await environment.on('blue', (client) =>
                one(
                  client,
                  'SELECT rows_seen::int AS seen, rows_filled::int AS filled, done_at IS NOT NULL AS done FROM verdigris.backfill',
                ),
              ),
            ).toEqual({ seen: count, filled: count, done: true });
            expect(lag).toBeGreaterThan(limit / 2);
            expect(lag).toBeLessThanOrEqual(limit);
            await environment.on('green', (client) => client.query('DROP FUNCTION verdigris.slow() CASCADE'));
            await environment.verb('verify');
            await environment.verb('switch');
          });
          expect(verdict).toMatchObject({ ok: true });
          for (const colour of ['blue', 'green'] as const)
            expect(
              await environment.on(colour, (client) =>
                one(client, "SELECT count(*)::int AS n FROM person WHERE nick = 'n' || id"),
              ),
              colour,
            ).toEqual({ n: count });
        });
      },
    );
  },
);
