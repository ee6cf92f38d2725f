import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import type { VerdigrisError } from '../../src/model/errors.ts';
import type { Verb } from '../../src/model/transitions.ts';
import type { Event } from '../../src/model/events.ts';
import { waitFor } from '../../src/model/wait.ts';
import { commitRecorder, withClients } from '../../src/operations/proofs/exercise.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { testMajor } from '../support/postgres.ts';
import { newShape, oldShape, shared, startSoftware, told, type Shape } from './software.ts';

const timeout = 1_800_000;
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const filled = 2_000;

const schema = `CREATE SCHEMA shop;
  CREATE TABLE shop.person (id int PRIMARY KEY, name text NOT NULL, age int NOT NULL DEFAULT 0);
  CREATE INDEX ON shop.person (name);
  INSERT INTO shop.person SELECT i, 'person ' || i, 0 FROM generate_series(1, ${filled}) i;
  GRANT USAGE ON SCHEMA shop TO shop_app; GRANT ALL ON shop.person TO shop_app`;

/** An environment whose declaration moves from release to release. */
function releases({ environment, platform, home, folder, credentials, on }: TestEnvironment) {
  const migrations = path.join(folder, 'migrations');
  const declaration = path.join(folder, 'moving.yaml');
  const events: Event[] = [];
  const recorder = commitRecorder('blue', (event) => events.push(event));
  const log = told();
  let current = environment;
  let nextId = 1_000_000;
  const settings = async () => {
    const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
    return { host, port: Number(port), user: 'shop_app', password: credentials['shop_app'] ?? '', database: 'shop' };
  };
  return {
    migrations,
    log,
    events,
    declare: async (live: Colour, blue: string, green: string): Promise<void> => {
      await mkdir(migrations, { recursive: true });
      const raw = {
        name: 'shop',
        platform: 'local',
        database: 'shop',
        roles: { application: ['shop_app'], readers: ['shop_reader'] },
        live,
        limits: { slotCreation: '60s', pause: '10s', switchover: '60s' },
        colours: {
          blue: { release: blue, postgres: testMajor, migrations },
          green: { release: green, postgres: testMajor, migrations },
        },
      };
      await writeFile(declaration, JSON.stringify(raw));
      current = parseEnvironment(raw, 'the test');
    },
    verb: (verb: Verb): Promise<void> =>
      withOperator(
        { environment: current, platform, emit: recorder.emit, signal: new AbortController().signal },
        verb,
        (c) => perform(c, verb, { early: true }),
      ),
    cli: async (
      command: 'expand-contract' | 'backfill',
      ...args: string[]
    ): Promise<{
      exitCode: number | undefined;
      result: Record<string, unknown> | undefined;
      error: Record<string, unknown> | undefined;
    }> => {
      const { exitCode, stdout } = await execa(
        process.execPath,
        [main, command, ...args, '--json', '--file', declaration],
        { reject: false, env: { VERDIGRIS_HOME: home, NO_COLOR: '1' } },
      );
      const lines = stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, Record<string, unknown> | undefined>);
      return {
        exitCode,
        result: lines.find((line) => line['result'])?.['result'],
        error: lines.find((line) => line['error'])?.['error'],
      };
    },
    /** Software at work until `use` has ended, each of its clients with rows of its own. */
    software: async (shape: Shape, use: () => Promise<void>): Promise<void> => {
      const at = await settings();
      const clients = [1, 2].map(() => startSoftware(at, shape, (nextId += 100_000), log));
      const some = (least: number) =>
        waitFor(
          async () => (clients.every((client) => client.written() >= least) ? true : undefined),
          { limit: 120_000, every: 20, what: 'writes of the software', next: 'see its errors.' },
          () => log.errors.slice(-3).join('; '),
        );
      try {
        await some(20);
        await use();
        const before = Math.max(...clients.map((client) => client.written()));
        await some(before + 20);
      } finally {
        await Promise.all(clients.map((client) => client.stop()));
      }
    },
    /** The clients of the oracle besides, judged at the end. */
    judged: async (use: () => Promise<void>): Promise<void> => {
      const address = await settings();
      const reader = { ...address, user: 'shop_reader', password: credentials['shop_reader'] ?? '' };
      const { verdict } = await withClients(
        current,
        platform,
        { writer: address, reader, logFile: path.join(folder, `clients-${Date.now()}.log`), business: false, rate: 40 },
        recorder.commits,
        use,
      );
      expect(verdict).toMatchObject({ ok: true });
    },
    /**
     * What was acknowledged before this began stands once, as it was written, under the columns given; shared rows have
     * all that was added by either shape, and, once nobody writes (`still`), no more.
     */
    stands: (colour: Colour, columns: readonly Shape[], still = false): Promise<void> =>
      on(colour, async (client) => {
        const [written, counted] = [[...log.rows], [...log.counts].map(([id, { known }]) => [id, known] as const)];
        for (const { name, age } of columns) {
          const found = new Map(
            (
              await rows<{ id: number; name: string }>(
                client,
                `SELECT id, ${name} AS name FROM shop.person WHERE id > ${filled}`,
              )
            ).map((row) => [row.id, row.name]),
          );
          expect(
            written.filter(([id, written]) => found.get(id) !== written),
            `${colour} ${name}`,
          ).toEqual([]);
          for (const [id, known] of counted) {
            const { n } = await one<{ n: number }>(client, `SELECT ${age}::int AS n FROM shop.person WHERE id = $1`, [
              id,
            ]);
            expect(n, `${colour} ${age} of ${id}`).toBeGreaterThanOrEqual(known);
            if (still)
              expect(n, `${colour} ${age} of ${id}`).toBeLessThanOrEqual(known + (log.counts.get(id)?.unknown ?? 0));
          }
        }
        if (columns.length > 1)
          expect(
            await rows(
              client,
              'SELECT id FROM shop.person WHERE full_name IS DISTINCT FROM name OR age_big IS DISTINCT FROM age',
            ),
          ).toEqual([]);
        expect(log.counts.size).toBe(shared);
      }),
  };
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error = (await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as VerdigrisError | undefined;
  return error?.id === 'gate-refused' ? error.seen : `not refused: ${String(error)}`;
};

test(
  "a rename and a type change go through three releases with two releases' software at work, and back; a backfill left behind stops none",
  { timeout },
  async () => {
    await withEnvironment({ fill: async (client) => void (await client.query(schema)) }, async (test) => {
      const { declare, verb, cli, software, judged, stands, migrations, log, events } = releases(test);

      // Release 2 expands. What it must not do is refused, and named.
      await declare('blue', '1', '2');
      expect(await cli('expand-contract', 'rename-column', 'shop.person', 'name', 'full_name')).toMatchObject({
        exitCode: 0,
      });
      expect(
        await cli('expand-contract', 'change-type', 'shop.person', 'age', 'bigint', '--as', 'age_big'),
      ).toMatchObject({ exitCode: 0 });
      await judged(async () => {
        await software(oldShape, async () => {
          await verb('seed');
          const early = path.join(migrations, '0009_early.sql');
          await writeFile(early, 'ALTER TABLE shop.person DROP COLUMN age;');
          expect(await refusal(verb('migrate'))).toMatch(
            /contract-too-early: release 2 takes away what release 1 uses: shop\.person\.age is gone/,
          );
          await rm(early);
          await verb('migrate');
          await verb('verify');
          expect(await cli('expand-contract', 'contract', 'shop.person.name')).toMatchObject({
            exitCode: 4,
            error: { id: 'contract-waits', seen: expect.stringContaining('release 2 to be live') },
          });
          await verb('switch');
          // Both at once, on the same rows.
          await software(newShape, async () => Promise.resolve());
          await stands('green', [oldShape, newShape]);
          // What is on its way to the retained colour arrives: software N's columns alone, with what both wrote.
          const then = new Map(log.rows);
          await waitFor(
            async () => {
              const there = new Map(
                (
                  await test.on('blue', (client) =>
                    rows<{ id: number; name: string }>(client, `SELECT id, name FROM shop.person WHERE id > ${filled}`),
                  )
                ).map((row) => [row.id, row.name]),
              );
              return [...then].every(([id, name]) => there.get(id) === name) ? true : undefined;
            },
            { limit: 120_000, every: 200, what: 'the retained colour in step', next: 'see its subscription.' },
          );
          // The software of release 2 is withdrawn with its schema.
          await verb('rollback');
          await verb('verify');
          await verb('switch');
          await software(newShape, async () => {
            expect(await cli('expand-contract')).toMatchObject({
              exitCode: 0,
              result: {
                live: '2',
                other: { release: '1', role: 'retained' },
                waits: [
                  {
                    object: 'shop.person.age',
                    replacedBy: 'shop.person.age_big',
                    usedBy: ['1'],
                    waitsFor: ['release 1 to be retired: it can be rolled back to'],
                  },
                  {
                    object: 'shop.person.name',
                    replacedBy: 'shop.person.full_name',
                    usedBy: ['1'],
                    waitsFor: ['release 1 to be retired: it can be rolled back to'],
                  },
                ],
              },
            });
          });
        });
        await verb('retire');
      });
      await stands('green', [oldShape, newShape], true);

      // Release 3 contracts. A drop with a wrong word is refused; every other wrong word is rule.test.ts's.
      await declare('green', '3', '2');
      await judged(() =>
        software(newShape, async () => {
          await verb('seed');
          const early = path.join(migrations, '0009_early.sql');
          await writeFile(
            early,
            '-- verdigris: contract shop.person.name last-used-by 2\nALTER TABLE shop.person DROP COLUMN name;',
          );
          expect(await refusal(verb('migrate'))).toMatch(
            /contract-too-early: release 3 takes away what release 2 uses: shop\.person\.name is gone, last used by 2/,
          );
          await rm(early);
          for (const column of ['name', 'age'])
            expect(await cli('expand-contract', 'contract', `shop.person.${column}`)).toMatchObject({ exitCode: 0 });
          // Of the two files that the recipe says to remove, one is forgotten.
          for (const name of await readdir(migrations))
            if (name.endsWith('_name_to_full_name.backfill.yaml')) await rm(path.join(migrations, name));
          await verb('migrate');
          await verb('verify');
          await verb('switch');
          await software(newShape, async () => Promise.resolve());
          await stands('blue', [newShape]);
          // Back to release 2, whose schema has both columns: what release 3 wrote is in both.
          await verb('rollback');
          await stands('green', [oldShape, newShape]);
          await verb('verify');
          await verb('switch');
          await verb('retire');
        }),
      );
      await stands('blue', [newShape], true);
      expect(
        await test.on('blue', (client) =>
          rows(
            client,
            "SELECT attname FROM pg_attribute WHERE attrelid = 'shop.person'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1",
          ),
        ),
      ).toEqual([{ attname: 'age_big' }, { attname: 'full_name' }, { attname: 'id' }]);
      expect(await cli('expand-contract')).toMatchObject({
        exitCode: 0,
        result: {
          live: '3',
          waits: [],
          releases: [
            { release: '1' },
            { release: '2' },
            {
              release: '3',
              takenAway: expect.arrayContaining([
                expect.objectContaining({ object: 'shop.person.name', lastUsedBy: '1' }),
              ]),
            },
          ],
        },
      });

      // Release 4 has nothing to do with it. The file that was left behind is named, and stops nothing.
      const left = (await readdir(migrations))
        .filter((name) => name.endsWith('.backfill.yaml'))
        .map((name) => name.replace('.backfill.yaml', ''));
      expect(left).toEqual([expect.stringMatching(/_age_to_age_big$/)]);
      const outlived = { id: 'backfill-outlived', grade: 'warn', objects: [`${left[0]}: column "age" does not exist`] };
      await declare('blue', '3', '4');
      await writeFile(path.join(migrations, '0010_index.sql'), 'CREATE INDEX ON shop.person (age_big);\n');
      await judged(() =>
        software(newShape, async () => {
          await verb('seed');
          events.length = 0;
          await verb('migrate');
          expect(
            events.flatMap((event) =>
              event.type === 'finding' && event.finding.id.startsWith('backfill') ? [event.finding] : [],
            ),
          ).toEqual([expect.objectContaining(outlived)]);
          await verb('verify');
          expect(await cli('backfill', '--dry-run')).toMatchObject({
            exitCode: 0,
            result: {
              backfills: [{ name: left[0], done: true, outlived: 'column "age" does not exist' }],
              findings: [outlived],
            },
          });
          expect(await cli('backfill', '--again', '--name', left[0] ?? '')).toMatchObject({
            exitCode: 4,
            error: { id: 'backfill-outlived', next: expect.stringContaining('remove its file') },
          });
          await verb('switch');
        }),
      );
      await stands('green', [newShape], true);
      expect(log.errors).toEqual([]);
    });
  },
);
