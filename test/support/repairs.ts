import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect } from 'vitest';
import { main } from './cli.ts';
import type { TestEnvironment } from './environment.ts';
import { until } from './until.ts';

interface Trouble {
  readonly id: string;
  readonly seen: string;
  readonly repair: string;
}

/** A person who knows `status` and does what it prints. */
export interface Repairs {
  run(...args: string[]): ReturnType<typeof verdigris>;
  troubles(): Promise<readonly Trouble[]>;
  /** Runs the first command that is printed until none is; every id that was seen first. */
  repaired(): Promise<string[]>;
}

export function repairing({ folder, home }: Pick<TestEnvironment, 'folder' | 'home'>): Repairs {
  const run = (...args: string[]) => verdigris(folder, home, args);
  const troubles = async (): Promise<readonly Trouble[]> => {
    const { stdout, stderr } = await run('status', '--json');
    const last = JSON.parse(stdout.split('\n').at(-1) || '{}') as { result?: { troubles: readonly Trouble[] } };
    if (!last.result) throw new Error(`status gives no result: ${stdout}${stderr}`);
    return last.result.troubles;
  };
  return {
    run,
    troubles,
    repaired: async () => {
      const first: string[] = [];
      for (let [worst] = await troubles(); worst; [worst] = await troubles()) {
        first.push(worst.id);
        expect(first.length, worst.seen).toBeLessThan(4);
        const [, command = ''] = /`(verdigris [^`]+)`/.exec(worst.repair) ?? [];
        // As it is printed, in a shell.
        const { exitCode, all } = await execa(
          'bash',
          ['-c', `verdigris() { '${process.execPath}' '${main}' "$@"; }; ${command}`],
          { cwd: folder, env: { VERDIGRIS_HOME: home, NO_COLOR: '1' }, reject: false, stdin: 'ignore', all: true },
        );
        expect(exitCode, `${worst.seen}: ${command}\n${all}`).toBe(0);
        // Apply goes on by itself, some seconds later.
        await until('its effect', async () => (await troubles())[0]?.id !== worst.id);
      }
      return first;
    },
  };
}

function verdigris(cwd: string, home: string, args: readonly string[]) {
  return execa(process.execPath, [main, ...args], {
    cwd,
    env: { VERDIGRIS_HOME: home, NO_COLOR: '1' },
    reject: false,
    stdin: 'ignore',
  });
}

/** Ends the process of a pid file, a postmaster's or a router's, by SIGKILL; resolves once it is gone. */
export async function killed(pidFile: string): Promise<void> {
  const [first = ''] = (await readFile(pidFile, 'utf8')).split('\n');
  const pid = first.startsWith('{') ? (JSON.parse(first) as { pid: number }).pid : Number(first);
  process.kill(pid, 'SIGKILL');
  await until('it is gone', () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
}
