import type { Hook } from '../../model/hooks.ts';
import { temporaryExit } from '../../model/job.ts';
import type { Context } from '../engine/context.ts';
import type { HookEvent } from './event.ts';
import { shortened, type Outcome } from './outcome.ts';

/**
 * Runs a Job of the cluster, one for an event: an operator that goes on after another was killed waits for the same
 * one. It answers as a command does.
 */
export async function runHookJob(
  { platform }: Context,
  job: NonNullable<Hook['job']>,
  limit: number,
  event: HookEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  if (!platform.runJob) return { kind: 'unanswered', why: 'there is no cluster here to run a Job in' };
  const env = { VERDIGRIS_EVENT: JSON.stringify(event) };
  const { exitCode, said } = await platform.runJob(event.id, job, env, limit, signal);
  if (exitCode === 0) return { kind: 'done' };
  if (exitCode === undefined) return { kind: 'unanswered', why: `its Job gave no exit code: ${shortened(said)}` };
  const words = said === '' ? '' : `: ${shortened(said)}`;
  return {
    kind: exitCode === temporaryExit ? 'unanswered' : 'refused',
    why: `its Job ended with ${exitCode}${words}`,
  };
}
