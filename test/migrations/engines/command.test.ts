import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { commandEngine } from '../../../src/migrations/engines/command.ts';
import { dropLogin } from '../../../src/postgres/owner-login.ts';
import { rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { answered, asked, code, codeCount, hasChinook, objects } from './chinook.ts';
import { leftBehind, withBench } from './support.ts';

/** Connects as a tool would, by what it is told alone. */
const script = (body: string): string => `
import pg from ${JSON.stringify(import.meta.resolve('pg'))};
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
${body}
await client.end();
`;

test('any command: sees the candidate and nothing else of our environment; fails, hangs and is interrupted without a trace', async () => {
  vi.stubEnv('PGDATABASE', 'elsewhere');
  vi.stubEnv('SECRET_OF_OURS', 'x');
  await withBench(undefined, async (bench) => {
    const engine = commandEngine(bench.folder, [process.execPath, 'migrate.mjs']);
    await bench.write(
      'migrate.mjs',
      script(`
      console.log(Object.keys(process.env).sort().join(' '), process.env.PGDATABASE, process.env.PGPASSWORD);
      const { rows: [who] } = await client.query("SELECT session_user AS s, current_user AS c, current_setting('lock_timeout') AS l");
      console.log(JSON.stringify(who));
      await client.query('CREATE TABLE a (id int); SET ROLE NONE; RESET ROLE; CREATE TABLE b (id int)');`),
    );
    await bench.apply(engine);
    expect(bench.said[0]).toMatch(
      / DATABASE_URL JDBC_URL .*PATH PGDATABASE PGHOST PGPASSWORD PGPORT PGSSLMODE PGUSER .*VERDIGRIS_RELEASE.* test \*\*\*$/,
    );
    expect(bench.said[0]).not.toContain('SECRET_OF_OURS');
    expect(JSON.parse(bench.said[1] ?? '')).toEqual({ s: 'verdigris_migration', c: 'verdigris_operator', l: '5s' });
    expect(await leftBehind(bench.client)).toEqual([]);

    await bench.write(
      'migrate.mjs',
      script(
        "await client.query('SET ROLE NONE; CREATE TEMP TABLE t (id int)'); console.error('boom'); process.exit(3);",
      ),
    );
    await expect(bench.apply(engine)).rejects.toMatchObject({
      id: 'migration-tool-failed',
      seen: expect.stringMatching(/failed \(3\)[^]*boom/),
      facts: { exit: '3' },
    });
    await bench.write('migrate.mjs', script("await client.query('SELECT pg_sleep(100)');"));
    expect(await bench.interrupt(engine)).toMatchObject({ id: 'migration-interrupted' });
    expect(await leftBehind(bench.client)).toEqual([]);
    await expect(bench.apply(engine, { statementTimeout: 300 })).rejects.toMatchObject({
      id: 'migration-tool-failed',
      seen: expect.stringContaining('statement timeout'),
    });
    await expect(bench.apply(commandEngine(bench.folder, ['no-such-tool']))).rejects.toMatchObject({
      code: 'declaration',
      id: 'engine-missing',
      next: expect.stringContaining('install it'),
    });
    expect(await leftBehind(bench.client)).toEqual([]);
  });
});

test.runIf(hasChinook)(
  'any command on Chinook: all of its transaction or nothing of it, and a second run is its own affair',
  async () => {
    await withBench(undefined, async (bench) => {
      const { client } = bench;
      await bench.loadChinook();
      const engine = commandEngine(bench.folder, [process.execPath, 'migrate.mjs']);
      await bench.write(
        'migrate.mjs',
        script(`
      const { readFile } = await import('node:fs/promises');
      const { rows: known } = await client.query("SELECT to_regclass('change_log') AS known");
      if (known[0].known === null) await client.query('BEGIN;' + (await readFile('code.sql', 'utf8')) + ';COMMIT');
      else console.log('nothing to do');`),
      );
      const stored = await code();
      await bench.write('code.sql', `${stored}\nSELECT 1/0`);
      await expect(bench.apply(engine)).rejects.toMatchObject({
        id: 'migration-tool-failed',
        seen: expect.stringContaining('division by zero'),
        next: expect.stringContaining('live colour is untouched'),
      });
      expect(await objects(client)).toBe(0);
      await bench.write('code.sql', `${stored}\nSELECT pg_sleep(100)`);
      expect(await bench.interrupt(engine)).toMatchObject({ code: 'interrupted', id: 'migration-interrupted' });
      expect(await objects(client)).toBe(0);
      await bench.write('code.sql', stored);
      await bench.apply(engine);
      expect(await objects(client)).toBe(codeCount);
      expect(await rows(client, asked)).toEqual(answered);
      await bench.apply(engine);
      expect(bench.said.at(-1)).toBe('nothing to do');
      expect(await leftBehind(client)).toEqual([]);
    });
  },
);

test('the login of a run whose operator was killed is ended with its sessions by the next', async () => {
  await withBench('command', async ({ client, connection, folder }) => {
    await chmod(path.join(folder, 'migrate.sh'), 0o755);
    await client.query(
      "CREATE ROLE verdigris_migration LOGIN PASSWORD 'x' IN ROLE verdigris_operator; GRANT CREATE ON SCHEMA public TO verdigris_migration",
    );
    await withClient({ ...connection, user: 'verdigris_migration' }, 'left', async (left) => {
      await left.query('CREATE TABLE mine (id int)');
      const gone = new Promise((resolve) => left.once('end', resolve));
      await dropLogin(client);
      await gone;
    });
    expect(await rows(client, "SELECT relowner::regrole::text AS owner FROM pg_class WHERE relname = 'mine'")).toEqual([
      { owner: 'verdigris_operator' },
    ]);
    expect(await leftBehind(client)).toEqual([]);
  });
});
