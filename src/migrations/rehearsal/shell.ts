import { execa } from 'execa';
import type { ConnectionSettings } from '../../postgres/client.ts';
import { connectionEnv } from '../../postgres/connection-env.ts';

export interface ShellResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly ms: number;
  readonly output: string;
  readonly timedOut: boolean;
}

export interface Shell {
  readonly ended: Promise<ShellResult>;
  /** Ends it with everything that it started, by force where it does not listen. */
  stop(): Promise<void>;
}

/** Milliseconds from the order to end to the kill. */
const grace = 3_000;
/** Characters kept of the output, its end. */
const kept = 64 * 1024;
/**
 * What a command needs of this process's environment: where programs and its home are, and the language. Secrets and
 * ambient PG* stay out.
 */
const passed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SHELL'];

/**
 * Runs a command of the project's, a text by the shell, as the leader of its own process group, with the clone as its
 * only database.
 */
export function runShell(
  command: string | readonly string[],
  clone: ConnectionSettings,
  options: { readonly limit?: number; readonly signal: AbortSignal; readonly env?: Readonly<Record<string, string>> },
): Shell {
  const begun = performance.now();
  const [file = '', ...args] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  const child = execa(file, args, {
    env: { ...environment(clone), ...options.env },
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
  let output = '';
  child.all.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-kept);
  });
  let timedOut = false;
  const limiter =
    options.limit === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          void stop();
        }, options.limit);
  const interrupted = (): void => void stop();
  options.signal.addEventListener('abort', interrupted, { once: true });
  const ended = (async () => {
    const { exitCode } = await child;
    clearTimeout(limiter);
    options.signal.removeEventListener('abort', interrupted);
    return { exitCode: exitCode ?? null, ms: performance.now() - begun, output, timedOut };
  })();
  return { ended, stop };

  async function stop(): Promise<void> {
    kill('SIGTERM');
    const force = setTimeout(() => kill('SIGKILL'), grace);
    await ended.finally(() => clearTimeout(force));
    // What the command left in the background and does not hold its output.
    kill('SIGKILL');
  }

  function kill(signal: NodeJS.Signals): void {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
  }
}

function environment(clone: ConnectionSettings): NodeJS.ProcessEnv {
  const own = Object.fromEntries(
    passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return { ...own, ...connectionEnv(clone) };
}

/** The last lines of an output. */
export function tail(output: string, lines = 40): string {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}
