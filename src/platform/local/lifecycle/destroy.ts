import { rm } from 'node:fs/promises';
import { colours } from '../../../model/colours.ts';
import { stopRouter } from '../../../router/launch.ts';
import type { LocalParts } from '../parts.ts';
import type { Stores } from '../stores.ts';

/** What there is to remove; the platform itself, or as much of it as was made. */
interface Removable extends Pick<LocalParts, 'places' | 'servers' | 'outside'> {
  readonly stores: Pick<Stores, 'forget'>;
}

/** Stops every process and removes every file of an environment. Says what is left on servers that others run. */
export async function destroyLocal({ places, servers, stores, outside }: Removable): Promise<readonly string[]> {
  await stopRouter(places.router);
  const left: string[] = [(await outside?.remove()) ?? ''];
  for (const colour of colours)
    left.push((await servers.remove(colour, (await servers.observe(colour))?.generation)) ?? '');
  await stores.forget();
  await rm(places.root, { recursive: true, force: true });
  return left.filter((each) => each !== '');
}
