import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const ignored = /^--\s*atlas:sum\s+ignore\b/im;

interface File {
  readonly entry: string;
  readonly path: string;
}

/**
 * The hash of each file as atlas.sum has it: over names and contents of all files up to it. A text says why the list
 * does not fit the files.
 */
export async function atlasSum(folder: string, files: readonly File[]): Promise<ReadonlyMap<string, string> | string> {
  const text = await readFile(path.join(folder, 'atlas.sum'), 'utf8').catch(() => undefined);
  if (text === undefined) return 'atlas.sum is missing';
  const listed = new Map([...text.matchAll(/^(.+) h1:(.+)$/gm)].map(([, name = '', sum = '']) => [name, sum]));
  const sums = new Map<string, string>();
  const hash = createHash('sha256');
  for (const { entry, path: file } of [...files].sort((a, b) => (a.entry < b.entry ? -1 : 1))) {
    const bytes = await readFile(file);
    hash.update(entry);
    if (ignored.test(bytes.toString('latin1'))) continue;
    const sum = hash.update(bytes).copy().digest('base64');
    if (listed.get(entry) !== sum) return `atlas.sum does not fit ${entry}`;
    sums.set(entry, sum);
  }
  const gone = [...listed.keys()].find((name) => !sums.has(name));
  return gone === undefined ? sums : `atlas.sum lists ${gone}, which is missing`;
}
