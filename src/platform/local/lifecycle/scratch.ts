import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnvironment } from '../../../model/environment.ts';
import { ownIdentity, runningProcess } from '../../../machine/process.ts';
import { environmentsIn } from '../environments.ts';
import { LocalPlatform } from '../platform.ts';
import { destroyLocal } from './destroy.ts';

const prefix = 'verdigris-demo-';
const ownerFile = (folder: string): string => path.join(folder, 'owner');
const homeOf = (folder: string): string => path.join(folder, 'home');

/** A folder for an environment that is to be gone with this process, and its home. */
export async function makeScratch(): Promise<{ readonly folder: string; readonly home: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), prefix));
  // Before anything runs there: whoever comes later sees by it that nobody needs the rest any more.
  await writeFile(ownerFile(folder), JSON.stringify(await ownIdentity()));
  await chmod(folder, 0o711);
  return { folder, home: homeOf(folder) };
}

/** From now on it stays until somebody destroys it. */
export async function keepScratch(folder: string): Promise<void> {
  await rm(ownerFile(folder));
}

/** Folders of this user's whose process was killed. */
export async function abandonedScratch(): Promise<string[]> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  const folders = await Promise.all(
    names.map(async (name) => {
      const folder = path.join(tmpdir(), name);
      // The folder of temporary files is everybody's: what another user put there is not obeyed.
      const mine = await stat(ownerFile(folder)).then(
        ({ uid }) => uid === process.getuid?.(),
        () => false,
      );
      return mine && (await runningProcess(ownerFile(folder))) === undefined ? [folder] : [];
    }),
  );
  return folders.flat();
}

/** Stops every process and removes every file. Safe to run again. */
export async function removeScratch(folder: string): Promise<void> {
  for (const { declaration, home } of await environmentsIn(homeOf(folder))) {
    const environment = parseEnvironment(JSON.parse(await readFile(declaration, 'utf8')), declaration);
    await destroyLocal(await LocalPlatform.open(environment, home));
  }
  await rm(folder, { recursive: true, force: true });
}
