import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { filesBelow } from './folder.ts';

const contents = z.record(z.string(), z.base64());

/** Name of a colour's packed folder beside a declaration. */
export const packedName = (colour: string): string => `migrations-${colour}.json.gz`;

/** A folder of migrations with all that is below it as one value, the same for the same content. */
export async function packFolder(folder: string): Promise<Buffer> {
  const files = await Promise.all(
    (await filesBelow(folder)).map(
      async (file) => [path.relative(folder, file), (await readFile(file)).toString('base64')] as const,
    ),
  );
  return gzipSync(JSON.stringify(Object.fromEntries(files)), { level: 9 });
}

/** Of this process, by digest: a name that could be foreseen could be taken by somebody else before. */
const unpacked = new Map<string, string>();

/** The folder that was packed, in this machine's temporary place; this process uses one of the same content again. */
export async function unpackFolder(packed: Buffer): Promise<string> {
  const digest = createHash('sha256').update(packed).digest('hex');
  const known = unpacked.get(digest);
  if (known !== undefined && existsSync(known)) return known;
  const files = contents.parse(JSON.parse(gunzipSync(packed).toString('utf8')));
  const folder = await mkdtemp(path.join(tmpdir(), 'verdigris-migrations-'));
  for (const [name, content] of Object.entries(files)) {
    const file = path.resolve(folder, name);
    if (!file.startsWith(`${folder}${path.sep}`))
      throw new Error(`the packed migrations name ${name}, which is outside their folder`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(content, 'base64'));
  }
  unpacked.set(digest, folder);
  return folder;
}
