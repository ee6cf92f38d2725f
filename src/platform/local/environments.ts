import { access, readdir } from 'node:fs/promises';
import { Places } from './places.ts';

/** The environments that were made in a home, those that were made half among them; without throw-away clones. */
export async function environmentsIn(home: string): Promise<Places[]> {
  const all = (await readdir(home).catch(() => []))
    .toSorted((one, next) => one.localeCompare(next))
    .map((name) => new Places(home, name));
  const found = await Promise.all(all.map(async (places) => ((await isThere(places.declaration)) ? [places] : [])));
  return found.flat();
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
