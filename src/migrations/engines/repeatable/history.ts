import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { asLogin, one, rows, type Client } from '../../../postgres/client.ts';
import { readScript, type SqlStatement } from '../sql/parse.ts';

export interface Repeatable {
  /** Path below `repeatable/`. */
  readonly name: string;
  readonly path: string;
  readonly checksum: string;
  readonly statements: readonly SqlStatement[];
  readonly superuser: boolean;
}

/** Files of `repeatable/` and below. */
export async function readRepeatables(folder: string): Promise<Repeatable[]> {
  const root = path.join(folder, 'repeatable');
  const names = (await readdir(root, { recursive: true }).catch(() => []))
    .filter((name) => /\.sql$/i.test(name))
    .sort();
  return Promise.all(
    names.map(async (name): Promise<Repeatable> => {
      const file = path.join(root, name);
      const bytes = await readFile(file);
      return {
        name,
        path: file,
        checksum: createHash('sha256').update(bytes).digest('hex'),
        ...(await readScript(bytes, file)),
      };
    }),
  );
}

/** Those that were never applied, or not as they are now. A file that was removed drops nothing. */
export async function pendingRepeatables(client: Client, folder: string): Promise<Repeatable[]> {
  const files = await readRepeatables(folder);
  if (files.length === 0) return [];
  const applied = await read(client);
  return files.filter(({ name, checksum }) => applied.get(name) !== checksum);
}

function read(client: Client): Promise<Map<string, string>> {
  return asLogin(client, async () => {
    const { there } = await one<{ there: boolean }>(
      client,
      "SELECT pg_catalog.to_regclass('verdigris.repeatable') IS NOT NULL AS there",
    );
    if (!there) return new Map<string, string>();
    const applied = await rows<{ name: string; checksum: string }>(
      client,
      'SELECT name, checksum FROM verdigris.repeatable',
    );
    return new Map(applied.map(({ name, checksum }) => [name, checksum]));
  });
}

/** Inside the transaction that applied them. */
export async function recordRepeatables(client: Client, files: readonly Repeatable[], release: string): Promise<void> {
  if (files.length === 0) return;
  for (const { name, checksum } of files) {
    await client.query(
      `INSERT INTO verdigris.repeatable (name, checksum, release) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, release = excluded.release, applied_at = clock_timestamp()`,
      [name, checksum, release],
    );
  }
}
