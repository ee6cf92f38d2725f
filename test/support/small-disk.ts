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

/**
 * A server's folder, which does not run, on a filesystem with `spare` bytes more than it holds, for as long as `use`
 * runs; `use` is given what makes room.
 */
export async function onOwnDisk(
  folder: string,
  spare: number,
  use: (makeRoom: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const aside = `${folder}.aside`;
  const { stdout } = await run('du', ['-sb', folder]);
  await run('cp', ['-a', folder, aside]);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${Number.parseInt(stdout, 10) + spare}`, 'tmpfs', folder]);
  try {
    await run('cp', ['-a', `${aside}/.`, folder]);
    await run('chown', ['--reference', aside, folder]);
    await run('chmod', ['--reference', aside, folder]);
    await rm(aside, { recursive: true });
    await use(async () => void (await run('mount', ['-o', 'remount,size=1g', folder])));
  } finally {
    await run('umount', ['-l', folder]);
    await rm(aside, { recursive: true, force: true });
  }
}
