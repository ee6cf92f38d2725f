import { programEnd, startProgram } from '../../../machine/program.ts';
import { parseCondition } from '../../../model/condition.ts';
import { inconclusive, judgeValue, type Conditions, type Measurement } from '../measurement.ts';

const well = parseCondition('= 0');
/** Characters of its output that are kept for people, its end. */
const kept = 200;

/**
 * The exit code of a command of the project's; one that cannot be started, is ended by a signal or takes too long says
 * nothing.
 */
export async function measureCommand(
  [file = '', ...args]: readonly string[],
  conditions: Conditions,
  signal: AbortSignal,
  env: Readonly<Record<string, string>>,
): Promise<Measurement> {
  const {
    exitCode,
    all = '',
    shortMessage,
  } = await programEnd(startProgram(file, args, { inherits: 'all', env, signal, grace: 3_000 }));
  if (exitCode === undefined) return inconclusive(shortMessage ?? `${file} was ended`);
  return judgeExit(file, exitCode, all, conditions);
}

/** Where nothing is declared, 0 is success and every other exit code a failure. */
export function judgeExit(what: string, exitCode: number, said: string, conditions: Conditions): Measurement {
  const printed = said.trim().slice(-kept);
  const seen = `${what} ended with ${exitCode}${printed === '' ? '' : `: ${printed}`}`;
  return judgeValue(exitCode, conditions.success || conditions.failure ? conditions : { success: well }, seen);
}
