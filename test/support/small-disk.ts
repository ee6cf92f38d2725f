import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { run } from './mount.ts';
import { until } from './until.ts';

/** Each folder on a filesystem of 512 KiB for as long as `use` runs; what is there then stays. */
export async function onSmallDisks(folders: readonly string[], use: () => Promise<void>): Promise<void> {
  const [folder, ...rest] = folders;
  if (folder === undefined) return use();
  const aside = `${folder}.aside`;
  await cp(folder, aside, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=0700', 'tmpfs', folder]);
  try {
    await cp(aside, folder, { recursive: true });
    await onSmallDisks(rest, use);
    await rm(aside, { recursive: true });
    await cp(folder, aside, { recursive: true });
  } finally {
    await run('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
    await cp(aside, folder, { recursive: true });
  }
}

/** Takes every block that is left. */
export async function fillUp(folder: string): Promise<void> {
  const file = path.join(folder, 'fill');
  await until('no block left', () =>
    writeFile(file, Buffer.alloc(4096, 'x'), { flag: 'a' }).then(
      () => false,
      () => true,
    ),
  );
  expect(await readdir(folder)).toContain('fill');
}
