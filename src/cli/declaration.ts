import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { describe, VerdigrisError } from '../model/errors.ts';
import { parseEnvironment, type Environment } from '../model/environment.ts';
import { packedName, unpackFolder } from '../migrations/packed.ts';

export const defaultFile = 'verdigris.yaml';

/**
 * Reads a declaration, YAML or JSON. Paths of migrations become absolute, by the folder of the file; one that is not on this machine
 * is taken from what was packed beside the file, as it is in a pod of the cluster.
 */
export async function loadEnvironment(file: string): Promise<{ environment: Environment; raw: unknown }> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new VerdigrisError('usage', 'no-declaration', {
      seen: `The declaration ${file} cannot be read: ${describe(cause)}.`,
      required: 'a file that declares the environment.',
      next: 'give it with --file, or run `verdigris demo --keep` to get an example.',
      cause,
    });
  });
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (cause) {
    throw new VerdigrisError('declaration', 'declaration-syntax', {
      seen: `${file} is not YAML: ${describe(cause)}`,
      required: 'YAML or JSON.',
      next: 'fix it there; nothing was done.',
      cause,
    });
  }
  const resolved = await withFoldersFound(raw, path.dirname(path.resolve(file)));
  return { environment: parseEnvironment(resolved, file), raw: resolved };
}

async function withFoldersFound(raw: unknown, folder: string): Promise<unknown> {
  if (!isRecord(raw) || !isRecord(raw['colours'])) return raw;
  const colours = await Promise.all(
    Object.entries(raw['colours']).map(
      async ([colour, value]) =>
        [
          colour,
          isRecord(value) && typeof value['migrations'] === 'string'
            ? { ...value, migrations: await migrationsFolder(folder, colour, value['migrations']) }
            : value,
        ] as const,
    ),
  );
  return { ...raw, colours: Object.fromEntries(colours) };
}

async function migrationsFolder(folder: string, colour: string, declared: string): Promise<string> {
  const absolute = path.resolve(folder, declared);
  if (existsSync(absolute)) return absolute;
  const packed = await readFile(path.join(folder, packedName(colour))).catch(() => undefined);
  return packed ? unpackFolder(packed) : absolute;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
