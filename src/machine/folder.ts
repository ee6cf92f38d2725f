import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder, and those above it that are missing, with this mode whatever the process's umask is: one that is
 * strict would keep the server's account from passing, and one that is wide would let others write. What is there
 * keeps its mode.
 */
export async function makeFolder(folder: string, mode: number): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = path.resolve(folder); made.length >= path.resolve(first).length; made = path.dirname(made))
    await chmod(made, mode);
}
