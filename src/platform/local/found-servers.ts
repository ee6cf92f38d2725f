import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { colours, type Colour } from '../../model/colours.ts';
import type { ServerRecord, ServerRecords } from './records.ts';
import { knownSockets } from './sockets.ts';

/**
 * The servers whose data directories are there, by what is in them: the newest generation of each colour. A record is
 * made before its directory and taken away after it, so a directory without one means that the record was lost.
 */
export async function foundServers(root: string): Promise<ServerRecords> {
  const names = await readdir(root).catch(() => []);
  const found = await Promise.all(
    colours.map(async (colour) => [colour, await newestOf(root, colour, names)] as const),
  );
  return Object.fromEntries(found.filter(([, record]) => record !== undefined));
}

async function newestOf(root: string, colour: Colour, names: readonly string[]): Promise<ServerRecord | undefined> {
  const generations = names
    .flatMap((name) => new RegExp(`^${colour}-(\\d+)$`).exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
  for (const generation of generations) {
    const record = await recordOf(root, colour, generation);
    if (record) return record;
  }
  return undefined;
}

/** Undefined of a directory that was not made whole, and of one that says what Verdigris would not have written. */
async function recordOf(root: string, colour: Colour, generation: number): Promise<ServerRecord | undefined> {
  const server = `${colour}-${generation}`;
  const data = path.join(root, server, 'data');
  const [version, settings] = await Promise.all(
    ['PG_VERSION', 'verdigris.conf'].map((name) => readFile(path.join(data, name), 'utf8').catch(() => '')),
  );
  const major = Number.parseInt(version ?? '', 10);
  const port = Number(settingIn(settings ?? '', 'port'));
  const sockets = settingIn(settings ?? '', 'unix_socket_directories');
  const whole = await access(path.join(data, 'global', 'pg_control')).then(
    () => true,
    () => false,
  );
  if (!whole || !Number.isInteger(major) || !Number.isInteger(port) || port <= 0) return undefined;
  // Folders of sockets are given to the server's account, which may write in this file: only those that were chosen.
  return sockets !== undefined && knownSockets(root, server, sockets)
    ? { generation, major, port, sockets }
    : undefined;
}

function settingIn(text: string, name: string): string | undefined {
  return new RegExp(`^${name} = '((?:[^']|'')*)'$`, 'm').exec(text)?.[1]?.replaceAll("''", "'");
}
