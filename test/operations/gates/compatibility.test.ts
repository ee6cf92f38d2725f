import { readdir, readFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { runTests } from '../../../src/operations/gates/compatibility.ts';
import { withOperator } from '../../../src/operations/operator.ts';
import { rows } from '../../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { testMajor } from '../../support/postgres.ts';

const timeout = 300_000;
const findings = async (environment: TestEnvironment): Promise<unknown> =>
  environment.verb('switch').then(
    () => 'switched',
    (error: { seen: string }) => [...error.seen.matchAll(/ {2}([a-z-]+):/g)].map(([, id]) => id),
  );

/** A test command of its own for each release: writes what the candidate must not hold, says who and where it is. */
const command = (then: string): string[] => [
  process.execPath,
  '-e',
  `
  const pg = require(${JSON.stringify(new URL('../../../node_modules/pg', import.meta.url).pathname)});
  (async () => {
    const client = new pg.Client();
    await client.connect();
    await client.query("INSERT INTO note VALUES (1, $1)", [process.env.VERDIGRIS_RELEASE]);
    const { rows } = await client.query(
      "SELECT current_user AS who, (SELECT string_agg(text, ',') FROM note) AS notes," +
      " (SELECT count(*)::int FROM pg_stat_subscription) AS subscriptions");
    console.log(JSON.stringify({ ...rows[0], schema: process.env.VERDIGRIS_SCHEMA, secret: process.env.SECRET_OF_OURS }));
    await client.end();
    ${then}
  })().catch((error) => { console.log(error.message); process.exit(9); });`,
];

const colours = (n: string[] | undefined, next: string[]) => ({
  colours: {
    blue: { release: '1', postgres: testMajor, ...(n ? { test: n } : {}) },
    green: { release: '2', postgres: testMajor, test: next },
  },
});
const fill = async (client: Parameters<Parameters<TestEnvironment['on']>[1]>[0]): Promise<void> =>
  void (await client.query('CREATE TABLE note (id int PRIMARY KEY, text text)'));

test(
  "both softwares are tested against the candidate's schema, each on a clone where it may write; the candidate stays as it is and the switchover goes on",
  { timeout },
  async () => {
    vi.stubEnv('SECRET_OF_OURS', 'seen');
    await withEnvironment({ fill, declaration: colours(command(''), command('')) }, async (environment) => {
      await environment.verb('seed');
      await environment.verb('migrate');
      await environment.verb('verify');
      const { tests } = (await environment.operator((c) => Promise.resolve(c.journal.release))) ?? {};
      expect(tests).toMatchObject([
        { release: '1', passed: true, exitCode: 0 },
        { release: '2', passed: true },
      ]);
      // Each had a clone of its own: neither saw what the other wrote, and no variable of ours.
      expect(
        await Promise.all((tests ?? []).map(async ({ log }) => JSON.parse(await readFile(log, 'utf8')) as unknown)),
      ).toEqual([
        { who: 'shop_app', notes: '1', subscriptions: 0, schema: '2' },
        { who: 'shop_app', notes: '2', subscriptions: 0, schema: '2' },
      ]);
      expect(await environment.on('green', (client) => rows(client, 'SELECT FROM note'))).toEqual([]);
      expect((await readdir(environment.home)).filter((name) => name.startsWith('drill-'))).toEqual([]);
      expect(await environment.platform.servers.snapshots()).toEqual([]);
      expect(
        await environment.on('green', (client) => rows(client, 'SELECT slot_name AS name FROM pg_replication_slots')),
      ).toEqual([{ name: expect.stringMatching(/_proof$/) as unknown }]);
      expect(await findings(environment)).toBe('switched');
    });
  },
);

test(
  'tests that fail, hang or have not run keep the switchover from beginning, with what they printed',
  { timeout },
  async () => {
    await withEnvironment(
      {
        fill,
        limits: { test: '3s' },
        declaration: colours(command('console.log("no column nick"); process.exitCode = 3;'), command('')),
      },
      async (environment) => {
        await environment.verb('seed');
        await environment.verb('migrate');
        await expect(environment.verb('verify')).rejects.toMatchObject({
          code: 'refused',
          id: 'tests-failed',
          seen: expect.stringMatching(
            /tests of release 1 failed on the schema of release 2: exit code 3[^]*no column nick/,
          ),
        });
        const again = (test: string[]) =>
          withOperator(
            {
              environment: {
                ...environment.environment,
                colours: { ...environment.environment.colours, blue: { release: '1', postgres: testMajor, test } },
              },
              platform: environment.platform,
              emit: (event) => environment.events.push(event),
              signal: new AbortController().signal,
            },
            'test',
            runTests,
          );
        await expect(again(command('setInterval(() => {}, 1000);'))).rejects.toMatchObject({
          seen: expect.stringContaining('stopped after 3 s (limits.test)'),
        });
        await again(command(''));
        expect(
          await environment.operator((c) => Promise.resolve(c.journal.release?.tests?.map(({ passed }) => passed))),
        ).toEqual([true, true]);
        expect((await readdir(environment.home)).filter((name) => name.startsWith('drill-'))).toEqual([]);
      },
    );
  },
);
