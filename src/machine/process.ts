import { readFile, readlink } from 'node:fs/promises';
import { z } from 'zod';

/**
 * When a process began, in clock ticks since boot (proc(5), field 22 of stat): tells a reused process id from the one
 * meant. Empty where there is none, and for a zombie: that one has ended, only its parent has not noticed.
 */
export async function processStart(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses and may hold anything; what follows begins with the third.
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? '' : (fields[18] ?? '');
}

/**
 * This process, so that others on the same machine can tell whether it lives. Undefined where the system has no /proc.
 */
export async function thisProcess(): Promise<string | undefined> {
  const [where, started] = [await here(), await processStart(process.pid)];
  return where === undefined || started === '' ? undefined : `${where} ${process.pid} ${started}`;
}

/**
 * True where `identity`, from `thisProcess`, was one of this boot and process namespace and is no more; false where
 * that cannot be known.
 */
export async function processIsGone(identity: string): Promise<boolean> {
  const [boot, namespace, pid, started] = identity.split(' ');
  if (pid === undefined || started === undefined || `${boot} ${namespace}` !== (await here())) return false;
  return (await processStart(Number(pid))) !== started;
}

async function here(): Promise<string | undefined> {
  try {
    return `${await bootId()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

const pidFileSchema = z.object({
  pid: z.int().positive(),
  /** Clock ticks after boot. */
  started: z.string(),
  boot: z.string(),
});

/** What a pid file of ours holds: a process, and not whichever has its number later. */
export async function ownIdentity(): Promise<z.output<typeof pidFileSchema>> {
  return { pid: process.pid, started: await processStart(process.pid), boot: await bootId() };
}

/** The process of a pid file, if it is the one that wrote it and still runs. */
export async function runningProcess(pidFile: string): Promise<number | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  let written: z.output<typeof pidFileSchema>;
  try {
    written = pidFileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
  const runs = (await processStart(written.pid)) === written.started && (await bootId()) === written.boot;
  return runs ? written.pid : undefined;
}
