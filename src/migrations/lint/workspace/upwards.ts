import { existsSync } from 'node:fs';
import path from 'node:path';

/** The first of these files in the folder, else in the nearest one above it that has one. */
export function upwards(folder: string, names: readonly string[]): string | undefined {
  const found = names.map((name) => path.join(folder, name)).find((file) => existsSync(file));
  const parent = path.dirname(folder);
  return found ?? (parent === folder ? undefined : upwards(parent, names));
}
