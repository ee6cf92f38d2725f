import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { declaration, withCli } from '../support/cli.ts';

test('a first declaration is taken as it is; the environment is listed, asked by SQL, read in its logs, examined and packed without secrets', async () => {
  await withCli(async ({ run, folder, home, declare }) => {
    const file = path.join(folder, 'verdigris.yaml');
    expect(await run('init', '--json')).toMatchObject({ exitCode: 2, error: { id: 'init-file' } });
    await rm(file);
    const postgres = String(declaration.colours.blue.postgres);
    const flags = ['--name', 'shop', '--role', 'app', '--reader', 'report', '--release', '41', '--postgres', postgres];
    expect(await run('init', ...flags, '--json')).toMatchObject({ exitCode: 0, result: { file: 'verdigris.yaml' } });
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\S+declaration\.schema\.json\n/);
    const created = await run('create', '--json');
    expect(created).toMatchObject({ exitCode: 0, result: { created: true } });
    const { app = '' } = created.result?.['credentials'] as Record<string, string>;
    expect(await run('plan', '--json')).toMatchObject({ exitCode: 0, result: { plan: [] } });

    const listed = await run('list', '--no-cluster');
    expect(listed.stdout).toMatch(
      /^environment +where[^]*\nshop +this machine +single +blue +41 +127\.0\.0\.1:\d+ +–$/,
    );
    expect((await run('psql', '-c', 'SELECT current_user')).stdout).toContain('verdigris_operator');
    expect((await run('psql', 'blue', '--as', 'reader', '-c', 'SELECT current_user')).stdout).toContain(
      'verdigris_reader',
    );
    expect(
      await run('psql', '--as', 'app', '--json', '-c', "SELECT 1 AS a, NULL AS b; SELECT 'x' WHERE false"),
    ).toMatchObject({
      result: {
        results: [
          { columns: ['a', 'b'], rows: [['1', null]] },
          { command: '0 rows', rows: [] },
        ],
      },
    });

    // What a server's log and a declaration may hold.
    await run('psql', '-c', "ALTER ROLE app PASSWORD 'planted-in-the-log' NONSENSE");
    await run(
      'psql',
      '-c',
      "CREATE TABLE t (id int PRIMARY KEY, secret text); INSERT INTO t VALUES (1, 'planted-row'), (1, 'x')",
    );
    const blue = {
      ...declaration.colours.blue,
      release: '41',
      test: ['sh', '-c', 'psql postgresql://u:planted-in-url@h/d'],
    };
    await declare({ ...declaration, roles: { application: ['app'], readers: ['report'] }, colours: { blue } });
    expect((await run('logs', '-n', '200')).stdout).toContain('planted-in-the-log');
    expect((await run('logs', 'router')).stdout).toContain('"environment":"shop"');
    expect(await run('doctor', '--bundle', 'bundle.tar.gz', '--json')).toMatchObject({
      exitCode: 0,
      result: { bundle: { names: expect.arrayContaining(['journal.json', 'blue/server.log']) as unknown } },
    });
    const { stdout: packed } = await execa('tar', ['-xzOf', path.join(folder, 'bundle.tar.gz')]);
    expect(packed).toContain('unrecognized role option "nonsense"');
    const verifiers = await run(
      'psql',
      '--json',
      '-c',
      'SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL',
    );
    const [{ rows }] = verifiers.result?.['results'] as [{ rows: string[][] }];
    for (const secret of [app, 'planted', ...rows.flat()]) expect(packed).not.toContain(secret);

    await run('psql', '-c', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    const { pid } = JSON.parse(await readFile(path.join(home, 'shop', 'router', 'router.pid'), 'utf8')) as {
      pid: number;
    };
    process.kill(pid, 'SIGKILL');
    expect(await run('doctor', '--json')).toMatchObject({
      exitCode: 1,
      error: { id: 'doctor-found', next: expect.stringContaining('verdigris start') as unknown },
    });
    // Another port is declared, and the router that is started takes it.
    const port = 20_000 + (process.pid % 10_000);
    await declare({ ...declaration, colours: { blue }, local: { port } });
    expect(await run('start', '--json')).toMatchObject({ result: { traffic: { address: `127.0.0.1:${port}` } } });
  });
});
