import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What the system knows of its processes. */
export interface ProcessTable {
  /** When a process began, in a word; empty where there is none, and for a zombie: only its parent has not noticed. */
  start(pid: number): Promise<string>;
  /** Its program and arguments; empty where there is none. */
  command(pid: number): Promise<string>;
  /** The same for as long as the machine is up. Throws where the system does not tell. */
  boot(): Promise<string>;
  /** Within which a process id means one process. Throws where the system does not tell. */
  namespace(): Promise<string>;
}

/** By proc(5). */
export const linuxTable: ProcessTable = {
  async start(pid) {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The second field is the program's name in parentheses and may hold anything; what follows begins with the third.
    const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // Field 22, in clock ticks after boot.
    return state === 'Z' || state === 'X' ? '' : (fields[18] ?? '');
  },
  command: (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
  boot: async () => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
  namespace: () => readlink('/proc/self/ns/pid'),
};

const run = promisify(execFile);

/** In UTC and in English, whatever the user's own settings are. */
async function said(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(file, args, { env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' } });
  return stdout.trim();
}

/** By ps(1) and sysctl(8). Seconds are as near as ps tells when a process began. */
export const macTable: ProcessTable = {
  async start(pid) {
    const text = await said('ps', ['-o', 'state=,lstart=', '-p', String(pid)]).catch(() => '');
    const [, state = '', began = ''] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
    return state === '' || state.startsWith('Z') ? '' : String(Date.parse(`${began} UTC`) / 1_000);
  },
  command: (pid) => said('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ''),
  boot: () => said('sysctl', ['-n', 'kern.bootsessionuuid']),
  // A mac has one.
  namespace: () => Promise.resolve('mac'),
};

export const processTable = process.platform === 'darwin' ? macTable : linuxTable;
