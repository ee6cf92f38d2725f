import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Reports of a kind among an environment's exports, the newest last: their names begin with it and go on with when they
 * began.
 */
export async function readReports<T>(folder: string, kind: 'drill' | 'rehearsal'): Promise<T[]> {
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((name) => name.startsWith(`${kind}-`) && /-\d.*\.json$/.test(name)).sort();
  return Promise.all(own.map(async (name) => JSON.parse(await readFile(path.join(folder, name), 'utf8')) as T));
}
