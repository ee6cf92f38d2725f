import { rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';

const timeout = 900_000;

/** As a tool that keeps a history: `schema` is up to a version, `rest` what comes after it. `.mode` is how it ends. */
const tool = `#!/bin/sh
say() { psql -X -q -v ON_ERROR_STOP=1 -c "$1"; }
mode=$(cat .mode)
if [ "$1" = schema ]; then
  say "ALTER TABLE counted ADD COLUMN note text"
  say "CREATE TABLE knex_migrations (id serial, name text, batch int, migration_time timestamptz)"
  exec psql -X -q -c "INSERT INTO knex_migrations (name) VALUES ('0001_note.js')"
fi
[ "$mode" = slow ] && sleep 6
[ "$mode" = shape ] && say "CREATE TABLE more (id int)"
say "UPDATE counted SET times = times + 1"
[ "$mode" = fail ] && { echo 'error: the second file failed' >&2; exit 3; }
[ "$mode" = hang ] && touch .began && exec psql -X -q -c "SET statement_timeout = 0; SELECT pg_sleep(60)"
say "INSERT INTO counted VALUES (100, 0, 'new')"
say "INSERT INTO knex_migrations (name) VALUES ('0002_count.js')"
`;

type Mode = 'works' | 'slow' | 'shape' | 'fail' | 'hang';

const fill = async (client: Client) =>
  void (await client.query(
    'CREATE TABLE counted (id int PRIMARY KEY, times int NOT NULL); INSERT INTO counted VALUES (1, 0), (2, 0)',
  ));

async function withTool(
  use: (bench: FaultBench, mode: (how: Mode) => Promise<void>, migrations: string) => Promise<void>,
  options: { readonly deadman?: boolean; readonly limits: Record<string, string> },
): Promise<void> {
  const migrations = await temporaryFolder();
  const mode = (how: Mode) => writeFile(path.join(migrations, '.mode'), how);
  await writeFile(path.join(migrations, 'run.sh'), tool, { mode: 0o755 });
  await mode('works');
  const engine = { command: ['./run.sh', 'schema'], atSwitchover: ['./run.sh', 'rest'] };
  const colours = {
    blue: { release: '1', postgres: testMajor },
    green: { release: '2', postgres: testMajor, migrations, engine },
  };
  try {
    await withBench({ fill, declaration: { colours }, ...options }, (bench) => use(bench, mode, migrations));
  } finally {
    await rm(migrations, { recursive: true });
  }
}

const isThere = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  );
const counted = (bench: FaultBench, colour: 'blue' | 'green') =>
  bench.on(colour, (client) =>
    rows<{ id: number; times: number }>(client, 'SELECT id, times FROM counted ORDER BY id'),
  );
const recorded = (bench: FaultBench, colour: 'blue' | 'green') =>
  bench.on(colour, (client) => rows(client, 'SELECT name FROM knex_migrations ORDER BY id'));
const write = (bench: FaultBench, id: number) =>
  bench.on('blue', (client) => client.query('INSERT INTO counted VALUES ($1, 0)', [id]));
const upTo = async (bench: FaultBench, ...verbs: readonly ('seed' | 'migrate' | 'verify' | 'switch')[]) => {
  for (const verb of verbs) await bench.verb(verb);
};
/** Nothing else is allowed with such a candidate than to leave it. */
async function spoiled(bench: FaultBench): Promise<void> {
  for (const verb of ['switch', 'verify'] as const)
    expect(await failure(bench.verb(verb))).toMatchObject({
      id: 'gate-refused',
      seen: expect.stringContaining('candidate-spoiled'),
      next: expect.stringContaining('verdigris abandon'),
    });
  await bench.verb('abandon');
}

test(
  'what a tool leaves to the switchover: tried on a clone, run once over all that the live release wrote; where it fails there, it costs the candidate alone',
  { timeout },
  async () => {
    await withTool(
      async (bench, mode) => {
        const { verdict } = await bench.exercise(async (workload) => {
          await upTo(bench, 'seed', 'migrate');
          for (const [how, id, seen] of [
            ['slow', 'tool-rest-slow', /run\.sh rest took \d+ ms on a clone/],
            ['shape', 'tool-rest-failed', /changed the schema/],
            ['fail', 'tool-rest-failed', /the second file failed/],
          ] as const) {
            await mode(how);
            expect(await failure(bench.verb('verify'))).toMatchObject({ id, seen: expect.stringMatching(seen) });
          }
          await mode('works');
          await bench.verb('verify');
          const [tried] = (await bench.journal()).release?.data ?? [];
          expect(tried).toMatchObject({
            place: 'switch',
            source: './run.sh rest',
            ms: expect.any(Number),
            writes: [{ table: 'public.counted', inserted: 1, updated: 2, deleted: 0 }],
          });
          expect(await counted(bench, 'green')).toEqual(await counted(bench, 'blue'));

          await write(bench, 3);
          await mode('fail');
          expect(await failure(bench.verb('switch'))).toMatchObject({
            id: 'tool-rest-failed',
            seen: expect.stringContaining('the second file failed'),
            next: expect.stringContaining('verdigris abandon'),
          });
          await bench.settled({ state: 'verified', live: 'blue' });
          await served(workload);
          expect((await counted(bench, 'blue')).every(({ times }) => times === 0)).toBe(true);
          await spoiled(bench);
          await bench.harvest();

          await mode('works');
          await upTo(bench, 'seed', 'migrate', 'verify');
          await write(bench, 4);
          await bench.verb('switch');
          const once = [1, 2, 3, 4].map((id) => ({ id, times: 1 }));
          const all = [...once, { id: 100, times: 0 }];
          expect(await counted(bench, 'green')).toEqual(all);
          await until('it is on blue', async () => (await counted(bench, 'blue')).length === all.length);
          expect(await counted(bench, 'blue')).toEqual(all);
          expect(await recorded(bench, 'green')).toHaveLength(2);
          await served(workload);
          await bench.verb('rollback');
          expect(await counted(bench, 'blue')).toEqual(all);
          // Its history has both there: the same candidate is verified and switched to once more.
          expect(await recorded(bench, 'green')).toHaveLength(2);
          await served(workload);
          await bench.verb('abandon');
        });
        expect(verdict).toMatchObject(good);
        expect(await bench.leftovers()).toEqual(nothing);
      },
      { limits: { pause: '4s', switchover: '20s' } },
    );
  },
);

test(
  'killed before the tool runs: nothing happened; in it and behind it: the live colour goes on, the candidate is refused; behind the commit point: it ran once',
  { timeout },
  async () => {
    await withTool(
      async (bench, mode, migrations) => {
        const { verdict } = await bench.exercise(async (workload) => {
          await upTo(bench, 'seed', 'migrate', 'verify');
          await bench.operators.run('switch', { dieBefore: 'finish-tool' });
          await bench.recover();
          await bench.settled({ state: 'verified', live: 'blue' });
          await served(workload);

          await mode('hang');
          const operator = await bench.operators.start('switch');
          await until('the tool is at work', () => isThere(path.join(migrations, '.began')), 120_000);
          process.kill(operator.pid, 'SIGKILL');
          await operator.ended;
          await bench.recover();
          await bench.settled({ state: 'verified', live: 'blue' });
          expect(
            await bench.on('green', (client) =>
              rows(client, "SELECT FROM pg_roles WHERE rolname LIKE 'verdigris_migration%'"),
            ),
          ).toEqual([]);
          await served(workload);
          await spoiled(bench);
          await bench.harvest();

          await mode('works');
          await upTo(bench, 'seed', 'migrate', 'verify');
          await bench.operators.run('switch', { dieAfter: 'finish-tool' });
          await bench.recover();
          await bench.settled({ state: 'verified', live: 'blue' });
          await served(workload);
          await spoiled(bench);
          await bench.harvest();

          await upTo(bench, 'seed', 'migrate', 'verify');
          await write(bench, 3);
          await bench.operators.run('switch', { dieBefore: 'open' });
          await bench.recover();
          await bench.settled({ state: 'switched', live: 'green' });
          const all = [...[1, 2, 3].map((id) => ({ id, times: 1 })), { id: 100, times: 0 }];
          expect(await counted(bench, 'green')).toEqual(all);
          await until('it is on blue', async () => (await counted(bench, 'blue')).length === all.length);
          expect(await counted(bench, 'blue')).toEqual(all);
          await served(workload);
        });
        expect(verdict).toMatchObject(good);
      },
      { deadman: false, limits: { pause: '15s', switchover: '60s' } },
    );
  },
);
