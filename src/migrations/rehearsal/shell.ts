import { programEnd, startProgram } from '../../machine/program.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
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

interface ShellOptions {
  readonly limit?: number;
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

/** Characters kept of the output, its end. */
const kept = 64 * 1024;

/** Runs a command of the project's, a text by the shell, with the clone as its only database. */
export function runShell(
  command: string | readonly string[],
  clone: ConnectionSettings,
  { limit, signal, env }: ShellOptions,
): Shell {
  const begun = performance.now();
  const [file = '', ...args] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  const program = startProgram(file, args, {
    env: { ...connectionEnv(clone), ...env },
    inherits: 'ordinary',
    grace: 3_000,
    buffer: false,
    limit,
    signal,
  });
  let output = '';
  program.all.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-kept);
  });
  const result = programEnd(program).then(({ exitCode, timedOut }) => ({
    exitCode: exitCode ?? null,
    ms: performance.now() - begun,
    output,
    timedOut,
  }));
  return {
    ended: result,
    async stop() {
      program.kill();
      await result;
    },
  };
}

/** The last lines of an output. */
export function tail(output: string, lines = 40): string {
  return output.trimEnd().split('\n').slice(-lines).join('\n');
}
