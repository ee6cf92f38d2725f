import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** Whether small filesystems can be mounted here: root, and not in a container that forbids it. */
export const mountable = process.getuid?.() === 0 && (await canMount());

async function canMount(): Promise<boolean> {
  const at = await mkdtemp(path.join(tmpdir(), 'vg-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at]);
    await run('umount', [at]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(at, { recursive: true, force: true });
  }
}
