import { temporaryExit } from '../../model/job.ts';
import { programEnd, startProgram } from '../../machine/program.ts';
import { shortened, type Outcome } from './outcome.ts';
import type { HookEvent } from './event.ts';

/** Runs a program with the event as its standard input; its own processes end with it where it does not end in time. */
export async function runProgram(argv: readonly string[], event: HookEvent, signal: AbortSignal): Promise<Outcome> {
  const [file = '', ...args] = argv;
  const { failed, exitCode, isCanceled, shortMessage, all } = await programEnd(
    startProgram(file, args, {
      inherits: 'all',
      input: JSON.stringify(event),
      signal,
      grace: 2_000,
      most: 64 * 1024,
    }),
  );
  if (!failed) return { kind: 'done' };
  if (isCanceled) return { kind: 'unanswered', why: 'it did not end in time' };
  const said = shortened(all ?? '');
  if (exitCode === undefined) return { kind: 'unanswered', why: shortened(shortMessage ?? '') };
  return {
    kind: exitCode === temporaryExit ? 'unanswered' : 'refused',
    why: `it ended with ${exitCode}${said === '' ? '' : `: ${said}`}`,
  };
}
