import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readNotes } from '../../src/migrations/expand-contract/notes.ts';
import { filesBelow, folderDigest } from '../../src/migrations/folder.ts';
import { packFolder, unpackFolder } from '../../src/migrations/packed.ts';
import { temporaryFolder } from '../support/postgres.ts';

/** A folder of migrations with links into another one, as build tools and mounted volumes make them. */
async function linked(): Promise<{ folder: string; elsewhere: string; below: () => Promise<string[]> }> {
  const root = await temporaryFolder();
  onTestFinished(() => rm(root, { recursive: true }));
  const [folder, elsewhere] = [path.join(root, 'migrations'), path.join(root, 'elsewhere')];
  await mkdir(folder);
  await mkdir(path.join(elsewhere, '0002_b'), { recursive: true });
  await writeFile(path.join(elsewhere, 'a.sql'), 'SELECT 1');
  await writeFile(path.join(elsewhere, '0002_b/up.sql'), '-- verdigris: contract shop.customers.name last-used-by 41');
  await symlink(path.join(elsewhere, 'a.sql'), path.join(folder, '0001_a.sql'));
  await symlink(path.join(elsewhere, '0002_b'), path.join(folder, '0002_b'));
  const below = async (): Promise<string[]> =>
    (await filesBelow(folder)).map((file) => path.relative(folder, file).split(path.sep).join('/'));
  return { folder, elsewhere, below };
}

test('a link in a folder of migrations is the file that is behind it', async () => {
  const { folder, elsewhere, below } = await linked();
  expect(await below()).toEqual(['0001_a.sql', '0002_b/up.sql']);
  expect((await readNotes(folder)).contract).toMatchObject([{ object: 'shop.customers.name', lastUsedBy: '41' }]);

  const before = await folderDigest(folder);
  const unpacked = await unpackFolder(await packFolder(folder));
  onTestFinished(() => rm(unpacked, { recursive: true }));
  expect(await folderDigest(unpacked)).toBe(before);

  await writeFile(path.join(elsewhere, 'a.sql'), 'SELECT 2');
  expect(await folderDigest(folder)).not.toBe(before);
});

test('links that lead nowhere, round in a circle or among modules are not followed', async () => {
  const { folder, elsewhere, below } = await linked();
  await symlink(path.join(folder, 'gone.sql'), path.join(folder, '0003_gone.sql'));
  await symlink('somebody@host.1', path.join(folder, '.#0001_a.sql'));
  await symlink('..', path.join(folder, 'up'));
  await symlink(folder, path.join(elsewhere, '0002_b/back'));
  await symlink(elsewhere, path.join(elsewhere, '0002_b/round'));
  await mkdir(path.join(folder, 'node_modules/one'), { recursive: true });
  await symlink('..', path.join(folder, 'node_modules/one/all'));
  await symlink(elsewhere, path.join(folder, 'node_modules/two'));
  expect(await below()).toEqual(['0001_a.sql', '0002_b/up.sql']);
});
