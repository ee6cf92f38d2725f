import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { rows } from '../../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { temporaryFolder, testMajor } from '../../support/postgres.ts';
import { examples } from '../engines/support.ts';
import { fetchLimit, useNodePgMigrate } from './tools.ts';

async function withProject(use: (folder: string) => Promise<void>): Promise<void> {
  const project = await temporaryFolder();
  try {
    await useNodePgMigrate(project);
    await mkdir(path.join(project, 'migrations'));
    await use(path.join(project, 'migrations'));
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}

const colours = (migrations: string, engine?: unknown) => ({
  colours: {
    blue: { release: '1', postgres: testMajor },
    green: { release: '2', postgres: testMajor, migrations, ...(engine ? { engine } : {}) },
  },
});
const columns = (test: TestEnvironment, colour: 'blue' | 'green') =>
  test.on(colour, (client) =>
    rows<{ name: string }>(
      client,
      "SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'items' ORDER BY 1",
    ),
  );

test(
  "a release whose migrations are node-pg-migrate's: seeded, migrated, verified and switched with clients at work; its history is not replicated",
  { timeout: fetchLimit },
  async () => {
    await withProject(async (folder) => {
      await cp(path.join(examples, 'node-pg-migrate'), folder, { recursive: true });
      await writeFile(
        path.join(folder, '1700000001000_items.sql'),
        '-- Up Migration\nALTER TABLE items ADD COLUMN note text;\n',
      );
      await withEnvironment(
        {
          declaration: colours(folder),
          fill: async (client) =>
            void (await client.query(
              'CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (1, $$a$$)',
            )),
        },
        async (environment) => {
          const { verdict } = await environment.clients(async () => {
            await environment.verb('seed');
            await environment.verb('migrate');
            await environment.verb('verify');
            await environment.verb('switch');
          });
          expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
          // Before its first run its dry run has no table to read: said, and judged afterwards.
          expect(
            environment.events.filter((event) => event.type === 'finding').map(({ finding }) => finding.id),
          ).toContain('migration-effect-unknown');
          expect(await columns(environment, 'green')).toEqual([
            { name: 'items.id' },
            { name: 'items.name' },
            { name: 'items.note' },
          ]);
          expect(
            await environment.on('green', (client) => rows(client, 'SELECT count(*)::int AS n FROM pgmigrations')),
          ).toEqual([{ n: 2 }]);
          expect(
            await environment.on('blue', (client) =>
              rows(client, "SELECT FROM pg_class WHERE relname = 'pgmigrations'"),
            ),
          ).toEqual([]);
          const logs = await readdir(path.dirname(await environment.platform.exportFile('x')));
          const log = logs.find((name) => name.startsWith('migrate-2-')) ?? '';
          expect(await readFile(await environment.platform.exportFile(log), 'utf8')).toContain('1700000001000_items');
        },
      );
    });
  },
);

test('a command that drops what the live colour still sends: found after the run, the candidate is abandoned, the live colour goes on', async () => {
  const folder = await temporaryFolder();
  try {
    await writeFile(
      path.join(folder, 'drop.mjs'),
      `import pg from ${JSON.stringify(import.meta.resolve('pg'))};\nconst client = new ` +
        `pg.Client(process.env.DATABASE_URL);\nawait client.connect();\nawait client.query('ALTER TABLE items DROP COLUMN name');\nawait client.end();\n`,
    );
    await withEnvironment(
      {
        declaration: colours(folder, { command: [process.execPath, 'drop.mjs'] }),
        fill: async (client) => void (await client.query('CREATE TABLE items (id int PRIMARY KEY, name text)')),
      },
      async (environment) => {
        await environment.verb('seed');
        await expect(environment.verb('migrate')).rejects.toMatchObject({
          id: 'column-still-sent',
          seen: expect.stringContaining('public.items.name'),
          next: expect.stringContaining('abandon'),
        });
        await environment.verb('abandon');
        expect(await columns(environment, 'blue')).toEqual([{ name: 'items.id' }, { name: 'items.name' }]);
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
