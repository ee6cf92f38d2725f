import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
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

/** The folder that was packed, in this machine's temporary place; one of the same content is used again. */
export async function unpackFolder(packed: Buffer): Promise<string> {
  const files = contents.parse(JSON.parse(gunzipSync(packed).toString('utf8')));
  const folder = path.join(
    tmpdir(),
    `verdigris-migrations-${createHash('sha256').update(packed).digest('hex').slice(0, 16)}`,
  );
  const making = `${folder}.${process.pid}`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    const file = path.resolve(making, name);
    if (!file.startsWith(`${making}${path.sep}`))
      throw new Error(`the packed migrations name ${name}, which is outside their folder`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(content, 'base64'));
  }
  // Whole or not there; where somebody was faster, his is as good.
  await rename(making, folder).catch(() => rm(making, { recursive: true, force: true }));
  return folder;
}
