import type { Metric } from '../../../model/delivery-metrics.ts';
import type { JobDeclaration } from '../../../model/job.ts';
import type { Platform } from '../../../platform/port/platform.ts';
import { inconclusive, type Measurement } from '../measurement.ts';
import { judgeExit } from './command.ts';

/** The exit code of a Job of the cluster; one that never begins, or gives none in time, says nothing. */
export async function measureJob(
  job: JobDeclaration,
  metric: Metric,
  signal: AbortSignal,
  env: Readonly<Record<string, string>>,
  { runJob }: Platform,
): Promise<Measurement> {
  if (!runJob) return inconclusive('there is no cluster here to run a Job in');
  const id = `${env['VERDIGRIS_STEP']} ${job.command.join(' ')} ${new Date().toISOString()}`;
  const { exitCode, said } = await runJob(id, job, env, metric.timeout, signal);
  return exitCode === undefined ? inconclusive(said) : judgeExit('the Job', exitCode, said, metric);
}
