import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { declaration, withCli } from '../support/cli.ts';

test('a fleet of three stops where one fails, shows all in one view, and goes on once that is fixed', async () => {
  await withCli(async ({ folder, run }) => {
    const broken = path.join(folder, 'b', 'm', '0002_broken.sql');
    const declare = (name: string, live: string): Promise<void> =>
      writeFile(
        path.join(folder, name, 'verdigris.yaml'),
        JSON.stringify({
          ...declaration,
          name: `tenant-${name}`,
          colours: { ...declaration.colours, green: { ...declaration.colours.green, migrations: './m' } },
          live,
        }),
      );
    for (const name of ['a', 'b', 'c']) {
      await mkdir(path.join(folder, name, 'm'), { recursive: true });
      await writeFile(path.join(folder, name, 'm', '0001_t.sql'), 'CREATE TABLE t (id int PRIMARY KEY)');
      await declare(name, 'blue');
      expect(await run('create', '--file', `${name}/verdigris.yaml`, '--json')).toMatchObject({ exitCode: 0 });
      await declare(name, 'green');
    }
    await writeFile(broken, 'SELECT 1 / 0');
    const files = ['a', 'b', 'c'].map((name) => `${name}/verdigris.yaml`);
    const [canary = '', ...rest] = files;
    await writeFile(
      path.join(folder, 'fleet.yaml'),
      JSON.stringify({ waves: [{ name: 'canary', environments: [canary] }, { environments: rest }] }),
    );

    const outcomes = (line: Record<string, unknown> | undefined) =>
      (line as { environments?: { outcome: string; error?: { id: string } }[] } | undefined)?.environments?.map(
        ({ outcome, error }) => error?.id ?? outcome,
      );
    const first = await run('fleet', 'release', 'fleet.yaml', '--json');
    expect(first).toMatchObject({ exitCode: 1, error: { id: 'fleet-unfinished' } });
    expect(outcomes(first.error?.['facts'] as Record<string, unknown>)).toEqual([
      'released',
      'migration-failed',
      'not begun',
    ]);
    const view = async () =>
      ((await run('fleet', 'status', 'fleet.yaml', '--json')).result as { environments: object[] }).environments;
    expect(await view()).toMatchObject([
      { wave: 'canary', name: 'tenant-a', state: 'switched', live: 'green', release: '2', declared: '2' },
      { wave: 'wave 2', name: 'tenant-b', live: 'blue', release: '1', declared: '2' },
      { wave: 'wave 2', name: 'tenant-c', state: 'single', live: 'blue', release: '1', declared: '2' },
    ]);

    await rm(broken);
    expect(outcomes((await run('fleet', 'release', 'fleet.yaml', '--json')).result)).toEqual([
      'released',
      'released',
      'released',
    ]);
    expect(await view()).toMatchObject(files.map(() => ({ state: 'switched', live: 'green', release: '2' })));
    for (const file of files) await run('destroy', '--yes', '--file', file, '--json');
  });
});

test('a file that is no fleet is refused with all that is wrong in it', async () => {
  await withCli(async ({ folder, run }) => {
    await writeFile(path.join(folder, 'fleet.yaml'), 'waves: [{ environments: [] }]\nstopAt: 0%\n');
    const { exitCode, error } = await run('fleet', 'release', 'fleet.yaml', '--json');
    expect({ exitCode, id: error?.['id'] }).toEqual({ exitCode: 3, id: 'fleet-invalid' });
    expect(error?.['seen']).toMatch(/waves.0.environments[\s\S]*stopAt/);
  });
});
