import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const identitySchema = z.object({
  pid: z.int().positive(),
  /** Clock ticks after boot. */ started: z.string(),
  boot: z.string(),
});

/**
 * A process, and not whichever process has its number later: process ids are used again, start times within a boot are
 * not.
 */
export type ProcessIdentity = z.output<typeof identitySchema>;

export async function ownIdentity(): Promise<ProcessIdentity> {
  const identity = await identityOf(process.pid);
  if (!identity) throw new Error('this process is not in /proc');
  return identity;
}

async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The second field is the program's name in parentheses and may hold anything; what follows begins with the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    // A zombie has ended; only its parent has not noticed.
    return state === 'Z' || state === 'X' ? undefined : { pid, started: fields[19] ?? '', boot: boot.trim() };
  } catch {
    return undefined;
  }
}

/** The process of a pid file, if it is the one that wrote it and still runs. */
export async function runningProcess(pidFile: string): Promise<number | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  let written: ProcessIdentity;
  try {
    written = identitySchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
  const now = await identityOf(written.pid);
  return now && now.started === written.started && now.boot === written.boot ? written.pid : undefined;
}
