import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardContainerName } from '../../manifests/guard-container.ts';
import { objectNames, type Named } from '../../manifests/names.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Cluster, Stored } from './cluster.ts';
import type { Pod } from './pods.ts';
import type { Poolers } from './poolers.ts';

type Questions = Stored & { readonly data?: Readonly<Record<string, string>> };

interface Answer {
  readonly question: string;
  readonly findings: readonly Finding[];
}

/** Key of the question; a guard answers under its pod's name. */
const questionKey = 'question';

/** Milliseconds that guards have to answer: they look for questions every two seconds, and try for five at most. */
const answerLimit = 20_000;

/**
 * Has every guard use once, from beside its pooler, all that it would use to let clients go. The question and the
 * answers are in a ConfigMap: a guard that cannot reach the API server could not settle anything either.
 */
export async function askGuards(cluster: Cluster, environment: Named, poolers: Poolers): Promise<Finding[]> {
  const pods = (await poolers.pods()).filter(hasGuard).map(({ metadata }) => metadata.name);
  if (pods.length === 0) return [];
  const name = objectNames.guard(environment.name);
  const before = await cluster.read<Questions>('ConfigMap', name);
  const question = randomUUID();
  // Pods that are gone answer no more.
  const gone = Object.keys(before?.data ?? {}).filter((key) => key !== questionKey && !pods.includes(key));
  if (before)
    await cluster.merge('ConfigMap', name, {
      data: { [questionKey]: question, ...Object.fromEntries(gone.map((key) => [key, null])) },
    });
  let answers = new Map<string, Answer>();
  for (const end = performance.now() + answerLimit; before && performance.now() < end; await sleep(200)) {
    const { data = {} } = (await cluster.read<Questions>('ConfigMap', name)) ?? {};
    answers = new Map(pods.flatMap((pod) => answerIn(data[pod], question).map((answer) => [pod, answer] as const)));
    if (answers.size === pods.length) break;
  }
  const silent = pods.filter((pod) => !answers.has(pod));
  return [
    ...[...answers].flatMap(([pod, { findings }]) => findings.map((finding) => fromGuard(pod, finding))),
    ...(silent.length > 0 ? [silence(cluster, name, silent)] : []),
  ];
}

/** The question that a guard has not answered yet. */
export async function questionFor(cluster: Cluster, environment: Named, pod: string): Promise<string | undefined> {
  const { data = {} } = (await cluster.read<Questions>('ConfigMap', objectNames.guard(environment.name))) ?? {};
  const question = data[questionKey];
  return question === undefined || answerIn(data[pod], question).length > 0 ? undefined : question;
}

export async function answerQuestion(cluster: Cluster, environment: Named, pod: string, answer: Answer): Promise<void> {
  await cluster.merge('ConfigMap', objectNames.guard(environment.name), { data: { [pod]: JSON.stringify(answer) } });
}

function hasGuard({ metadata, spec, status }: Pod): boolean {
  // One that is being ended, or on a node that is lost, is no way for anybody to stay.
  return (
    metadata.deletionTimestamp === undefined &&
    status?.phase === 'Running' &&
    spec.containers.some(({ name }) => name === guardContainerName)
  );
}

function answerIn(text: string | undefined, question: string): Answer[] {
  if (text === undefined) return [];
  const answer = JSON.parse(text) as Answer;
  return answer.question === question ? [answer] : [];
}

function fromGuard(pod: string, { objects, fix }: Finding): Finding {
  return finding('guard-cut-off', {
    objects: objects.map((object) => `the guard in ${pod}: ${object}`),
    reason: 'If the operator dies behind the commit point, clients of its pooler wait until a person acts.',
    fix,
  });
}

function silence({ namespace }: Cluster, name: string, pods: readonly string[]): Finding {
  return finding('guard-silent', {
    title: `guards did not answer in the ConfigMap ${namespace}/${name} within ${answerLimit / 1000} s`,
    objects: pods,
    reason:
      'A guard that is missing or cannot reach the API server does not release clients if the operator dies behind the commit point.',
    fix:
      `See \`kubectl -n ${namespace} logs ${pods[0] ?? ''} -c ${guardContainerName}\`, and what its pod may ` +
      `reach (NetworkPolicy, PeerAuthentication); one of an older version is brought up by \`verdigris up\`.`,
  });
}
