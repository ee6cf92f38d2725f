import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { inherited, type Inheritance } from './inherited.ts';

interface ProgramOptions {
  /** Variables beside those that it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  readonly inherits: Inheritance;
  readonly cwd?: string;
  /** Its standard input; otherwise there is none. */
  readonly input?: string;
  /** Stops it; `isCanceled` says so. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which it is stopped; `timedOut` says so. */
  readonly limit?: number | undefined;
  /** Milliseconds from being asked to stop to being killed. */
  readonly grace?: number;
  /** Whether what it prints is kept for the result. Otherwise it is read while it comes. */
  readonly buffer?: boolean;
  /** Characters of output at which it is stopped. */
  readonly most?: number;
}

export type Program = ReturnType<typeof startProgram>;

/**
 * Starts somebody else's program as the leader of a process group: whatever stops it stops all that it started, by
 * force where it does not listen. A tool that is a shell script around Java would outlive its shell. Never rejects.
 */
export function startProgram(file: string, args: readonly string[], options: ProgramOptions) {
  const { env, inherits, cwd, input, signal, limit, grace = 5_000, buffer = true, most = 100_000_000 } = options;
  const program = execa(file, args, {
    env: { ...inherited(inherits), ...env },
    extendEnv: false,
    all: true,
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: grace,
    maxBuffer: most,
    buffer,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(limit === undefined ? {} : { timeout: limit }),
  });
  const { nodeChildProcess: child } = program;
  child.once('exit', () => endOutput([child.stdout, child.stderr]));
  return program;
}

/** Milliseconds without a byte, once a program has ended, after which what still holds its output is not its own any more. */
const drained = 1_000;

/**
 * A daemon that a program left behind, in a session of its own, has its output open for as long as it lives: nobody waits
 * for that.
 */
function endOutput(streams: readonly (Readable | null)[]): void {
  let before = '';
  const timer = setInterval(() => {
    const open = streams.filter((stream) => stream !== null && !stream.destroyed && !stream.readableEnded);
    const now = open.map((stream) => String((stream as Socket).bytesRead)).join();
    if (now === before) for (const stream of open) stream?.destroy();
    before = now;
    if (open.length === 0) clearInterval(timer);
  }, drained);
  timer.unref();
}

/** Its end, and that of everything that it left in the background. */
export async function programEnd(program: Program): Promise<Awaited<Program>> {
  const result = await program;
  program.kill('SIGKILL');
  return result;
}

/** What a program says of its version; empty where it cannot be run. */
export async function versionText(file: string): Promise<string> {
  const { stdout = '' } = await programEnd(startProgram(file, ['--version'], { inherits: 'ordinary', limit: 30_000 }));
  return stdout;
}
