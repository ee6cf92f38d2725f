import { describe, VerdigrisError } from '../../model/errors.ts';
import { programEnd, startProgram } from '../../machine/program.ts';

/** What the operator's own program is asked, as its last argument. */
export type TrafficQuestion = 'hold' | 'route' | 'release' | 'who-answers';

interface Call {
  readonly command: readonly string[];
  /** Milliseconds. */
  readonly limit: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Characters of what it printed that an error shows. */
const shown = 2_000;

/** Runs it once; gives what it printed. @throws VerdigrisError `traffic-command` */
export async function call(question: TrafficQuestion, { command, limit, env }: Call): Promise<string> {
  const [program = '', ...args] = command;
  const ended = await programEnd(
    startProgram(program, [...args, question], { inherits: 'all', env, limit, grace: 500 }),
  ).catch((cause: unknown) => {
    throw failed(command, question, describe(cause), cause);
  });
  const { failed: bad, timedOut, exitCode, all = '', stdout = '' } = ended;
  if (!bad) return stdout;
  const how = timedOut ? `did not end within ${limit} ms` : `ended with ${exitCode ?? 'no exit code'}`;
  throw failed(command, question, `${how}${all.trim() === '' ? '' : `: ${all.trim().slice(-shown)}`}`);
}

/** The operator's own program did not do what it was asked. */
export function trafficProgramFailed(
  seen: string,
  required: string,
  { next = 'fix it', ...more }: { readonly next?: string; readonly facts?: Facts; readonly cause?: unknown } = {},
): VerdigrisError {
  return new VerdigrisError('traffic-command', {
    seen,
    required,
    next: `${next}, try it by \`verdigris traffic test\`, then run the same command again.`,
    ...more,
  });
}

type Facts = Readonly<Record<string, unknown>>;

function failed(command: readonly string[], question: TrafficQuestion, why: string, cause?: unknown): VerdigrisError {
  return trafficProgramFailed(
    `${[...command, question].join(' ')} ${why}.`,
    'exit status 0 within traffic.limit, from the program that moves the clients.',
    { facts: { question }, cause },
  );
}
