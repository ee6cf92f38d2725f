import { rm } from 'node:fs/promises';
import { colours } from '../../../model/colours.ts';
import { stopRouter } from '../../../router/launch.ts';
import type { Places } from '../places.ts';
import type { LocalServers } from '../servers.ts';

/** What there is to remove; the platform itself, or as much of it as was made. */
interface LocalParts {
  readonly places: Places;
  readonly servers: LocalServers;
}

/** Stops every process and removes every file of an environment. Nothing is left. */
export async function destroyLocal({ places, servers }: LocalParts): Promise<readonly string[]> {
  await stopRouter(places.router);
  for (const colour of colours) await servers.remove(colour, (await servers.observe(colour))?.generation);
  await rm(places.root, { recursive: true, force: true });
  return [];
}
