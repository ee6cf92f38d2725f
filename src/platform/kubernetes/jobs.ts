import { setTimeout as pause } from 'node:timers/promises';
import { declaredJob } from '../../manifests/job.ts';
import type { Environment } from '../../model/environment.ts';
import { temporaryExit, type JobDeclaration, type JobEnd } from '../../model/job.ts';
import type { Cluster, Stored } from './cluster.ts';
import { explainPod, stuck, type Pod } from './pods.ts';

interface JobObject extends Stored {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Milliseconds between two looks at a Job. */
const every = 300;

/**
 * Runs a declared Job once for an `id`, and waits until it has ended or the signal. One that gave no answer is removed,
 * so that it can be asked again; one that did stays for an hour, to be looked at.
 */
export async function runDeclaredJob(
  cluster: Cluster,
  environment: Environment,
  id: string,
  job: JobDeclaration,
  env: Readonly<Record<string, string>>,
  limit: number,
  signal: AbortSignal,
): Promise<JobEnd> {
  const manifest = declaredJob(environment, id, job, env, limit);
  const { name } = manifest.metadata;
  await cluster.create(manifest);
  let end: JobEnd = { exitCode: undefined, said: 'its pod did not begin' };
  while (!signal.aborted) {
    const made = await cluster.read<JobObject>('Job', name);
    const ended = made?.status?.conditions?.some(
      ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
    );
    // By its uid: a pod of one that was removed may be there for a while.
    const [pod] = made ? await cluster.list<Pod>('Pod', { 'controller-uid': made.metadata.uid }) : [];
    const last = pod?.status?.containerStatuses?.at(0)?.state?.terminated;
    if (pod) end = { exitCode: undefined, said: stuck(pod) ?? explainPod(pod) };
    if (last) end = { exitCode: last.exitCode, said: last.message?.trim() ?? '' };
    if (ended || !made) break;
    await pause(every, undefined, { signal }).catch(() => undefined);
  }
  if (end.exitCode === undefined || end.exitCode === temporaryExit) await cluster.delete('Job', name);
  return end;
}
