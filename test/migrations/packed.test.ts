import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadEnvironment } from '../../src/cli/declaration.ts';
import { packedName, packFolder, unpackFolder } from '../../src/migrations/packed.ts';
import { temporaryFolder } from '../support/postgres.ts';

const declaration = {
  name: 'shop',
  platform: 'local',
  database: 'shop',
  roles: { application: ['app'] },
  colours: { blue: { release: '1', postgres: 17 }, green: { release: '2', postgres: 17, migrations: './migrations' } },
  live: 'blue',
};

test('a folder of migrations travels beside the declaration, and is taken where the declared one is not on this machine', async () => {
  const [here, pod] = [await temporaryFolder(), await temporaryFolder()];
  try {
    await mkdir(path.join(here, 'migrations/later'), { recursive: true });
    await writeFile(path.join(here, 'migrations/0001_a.sql'), 'SELECT 1; -- ä');
    await writeFile(path.join(here, 'migrations/later/0002_b.sql'), 'SELECT 2');
    for (const folder of [here, pod]) {
      await writeFile(path.join(folder, 'declaration.json'), JSON.stringify(declaration));
      await writeFile(path.join(folder, packedName('green')), await packFolder(path.join(here, 'migrations')));
    }
    expect((await loadEnvironment(path.join(here, 'declaration.json'))).environment.colours.green?.migrations).toBe(
      path.join(here, 'migrations'),
    );
    const folder =
      (await loadEnvironment(path.join(pod, 'declaration.json'))).environment.colours.green?.migrations ?? '';
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(['0001_a.sql', 'later', 'later/0002_b.sql']);
    expect(await readFile(path.join(folder, '0001_a.sql'), 'utf8')).toBe('SELECT 1; -- ä');
    // Again, by another command in the same pod.
    expect((await loadEnvironment(path.join(pod, 'declaration.json'))).environment.colours.green?.migrations).toBe(
      folder,
    );
    await rm(folder, { recursive: true });
    await rm(path.join(pod, packedName('green')));
    expect((await loadEnvironment(path.join(pod, 'declaration.json'))).environment.colours.green?.migrations).toBe(
      path.join(pod, 'migrations'),
    );
  } finally {
    for (const folder of [here, pod]) await rm(folder, { recursive: true, force: true });
  }
});

test('nothing is unpacked outside its folder', async () => {
  await expect(unpackFolder(gzipSync(JSON.stringify({ '../evil.sql': '' })))).rejects.toThrow(/outside their folder/);
});
