import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { processTable } from './process-table.ts';

/** When a process began: tells a reused process id from the one meant. Empty where there is none, and for a zombie. */
export function processStart(pid: number): Promise<string> {
  return processTable.start(pid);
}

/**
 * This process, so that others on the same machine can tell whether it lives. Undefined where the system does not tell.
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
    return `${await processTable.boot()} ${await processTable.namespace()}`;
  } catch {
    return undefined;
  }
}

const pidFileSchema = z.object({
  pid: z.int().positive(),
  /** As `processStart` says it. */
  started: z.string(),
  boot: z.string(),
});

/** What a pid file of ours holds: a process, and not whichever has its number later. */
export async function ownIdentity(): Promise<z.output<typeof pidFileSchema>> {
  return { pid: process.pid, started: await processStart(process.pid), boot: await processTable.boot() };
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
  const runs = (await processStart(written.pid)) === written.started && (await processTable.boot()) === written.boot;
  return runs ? written.pid : undefined;
}
