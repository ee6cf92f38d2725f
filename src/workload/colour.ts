import { colours } from '../model/colours.ts';

/**
 * The colour of the server of this name: as `servers` has it, else by its ending, since ours are named
 * `<environment>-<colour>`; the name itself where neither tells, which is a stranger's.
 */
export function colourOf(name: string, servers: Readonly<Record<string, string>>): string {
  const last = name.slice(name.lastIndexOf('-') + 1);
  return servers[name] ?? colours.find((colour) => colour === last) ?? name;
}
