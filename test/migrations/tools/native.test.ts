import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { chooseEngine } from '../../../src/migrations/engines/choose.ts';
import { withMigrationRole } from '../../../src/migrations/engines/role.ts';
import { connectionUrl } from '../../../src/postgres/connection-env.ts';
import { withBench, type Bench } from '../engines/support.ts';
import { dbmateFile, fetchLimit, goTools, useDrizzle } from './tools.ts';

/** As Verdigris chooses it: by the files, and by the history that the tool has left. */
async function versions({ client, folder, apply }: Bench, name: string): Promise<string[]> {
  const engine = await chooseEngine(folder, undefined, client);
  expect(engine.name).toBe(name);
  return (await apply(engine)).map(({ version }) => version);
}

/** What a program prints that is led to the database. */
async function output(
  { client, connection }: Bench,
  file: string,
  args: readonly string[],
  cwd?: string,
): Promise<string> {
  return withMigrationRole({ client, connection, lockTimeout: 5_000, statementTimeout: 60_000 }, async (login) => {
    const { stdout } = await execa(file, args, {
      env: { DATABASE_URL: connectionUrl(login) },
      ...(cwd ? { cwd } : {}),
    });
    return stdout;
  });
}

/** Runs a program that prints how many migrations it ran. */
async function ran(...call: Parameters<typeof output>): Promise<number> {
  return Number(await output(...call));
}

const table = (number: number): string => `CREATE TABLE t${number} (id int PRIMARY KEY);\n`;
const files: Readonly<Record<string, (number: number) => Readonly<Record<string, string>>>> = {
  'golang-migrate': (number) => ({
    [`00000${number}_t.up.sql`]: `BEGIN;\n${table(number)}COMMIT;\n`,
    [`00000${number}_t.down.sql`]: `DROP TABLE t${number};`,
  }),
  goose: (number) => ({
    [`0000${number}_t.sql`]: `-- +goose NO TRANSACTION\n-- +goose Up\n${table(number)}-- +goose Down\nDROP TABLE t${number};`,
  }),
  'sql-migrate': (number) => ({
    [`${number}-t.sql`]: `-- +migrate Up notransaction\n${table(number)}-- +migrate Down\nDROP TABLE t${number};`,
  }),
  tern: (number) => ({
    [`00${number}_t.sql`]: `---- tern: disable-tx ----\n${table(number)}---- create above / drop below ----\nDROP TABLE t${number};`,
  }),
};

/** The first file by the tool, two by Verdigris, the fourth by the tool: neither runs twice what the other ran. */
async function takeTurns(
  bench: Bench,
  name: string,
  put: (number: number) => Promise<void>,
  up: () => Promise<number>,
): Promise<void> {
  await put(1);
  await up();
  for (const number of [2, 3]) {
    await put(number);
    expect(await versions(bench, name)).toHaveLength(1);
    expect(await up()).toBe(0);
  }
  await put(4);
  await up();
  expect(await versions(bench, name)).toEqual([]);
  expect((await bench.tables()).filter((each) => /^t\d$/.test(each))).toEqual(['t1', 't2', 't3', 't4']);
}

test.each(Object.keys(files))(
  '%s and Verdigris take turns on one database: each finds what the other ran',
  { timeout: fetchLimit },
  async (name) => {
    const tools = await goTools();
    await withBench(undefined, async (bench) => {
      const put = async (number: number): Promise<void> => {
        for (const [file, text] of Object.entries(files[name]?.(number) ?? {})) await bench.write(file, text);
      };
      await takeTurns(bench, name, put, () => ran(bench, tools, [name, bench.folder]));
    });
  },
);

test(
  'dbmate and Verdigris take turns on one database: each finds what the other ran',
  { timeout: fetchLimit },
  async () => {
    const dbmate = await dbmateFile();
    await withBench(undefined, async (bench) => {
      const put = (number: number): Promise<void> =>
        bench.write(
          `2026010100000${number}_t.sql`,
          `-- migrate:up transaction:false\n${table(number)}\n-- migrate:down\nDROP TABLE t${number};`,
        );
      const call = (word: string): Promise<string> =>
        output(bench, dbmate, ['--no-dump-schema', '-d', bench.folder, word]);
      const up = async (): Promise<number> => (await call('migrate')).match(/^Applied:/gm)?.length ?? 0;
      await takeTurns(bench, 'dbmate', put, up);
      expect(await call('status')).toContain('Pending: 0');
    });
  },
);

test(
  'Drizzle and Verdigris take turns on one database: each finds what the other ran',
  { timeout: fetchLimit },
  async () => {
    await withBench(undefined, async (bench) => {
      const project = path.dirname(bench.folder);
      await useDrizzle(project);
      await writeFile(
        path.join(project, 'migrate.mjs'),
        `import pg from 'pg'; import { drizzle } from 'drizzle-orm/node-postgres'; import { migrate } from 'drizzle-orm/node-postgres/migrator';
      const client = new pg.Client(process.env.DATABASE_URL); await client.connect();
      const made = async () => Number((await client.query("SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]$'")).rows[0].count);
      const before = await made(); await migrate(drizzle(client), { migrationsFolder: 'migrations' }); console.log(await made() - before); await client.end();`,
      );
      const migrate = (): Promise<number> => ran(bench, process.execPath, ['migrate.mjs'], project);
      const entries: unknown[] = [];
      const put = async (number: number): Promise<void> => {
        const tag = `000${number}_t`;
        entries.push({ idx: number, when: 1_700_000_000_000 + number, tag, breakpoints: true });
        await mkdir(path.join(bench.folder, 'meta'), { recursive: true });
        await bench.write(`${tag}.sql`, `${table(number)}--> statement-breakpoint\nSELECT 1;`);
        await bench.write('meta/_journal.json', JSON.stringify({ version: '7', dialect: 'postgresql', entries }));
      };
      await takeTurns(bench, 'drizzle', put, migrate);
    });
  },
);

test('a folder whose atlas.sum Atlas itself wrote is read, each file with the hash that Atlas writes down', async () => {
  await withBench(undefined, async (bench) => {
    await bench.write('20260101000000_a.sql', table(1));
    await bench.write('20260102000000_b.sql', table(2));
    await ran(bench, await goTools(), ['atlas', bench.folder]);
    expect(await versions(bench, 'atlas')).toEqual(['20260101000000', '20260102000000']);
    await bench.write('20260102000000_b.sql', table(3));
    await expect(versions(bench, 'atlas')).rejects.toMatchObject({ id: 'migration-list' });
  });
});
