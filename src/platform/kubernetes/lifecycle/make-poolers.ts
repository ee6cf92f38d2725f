import { plainRefused } from '../../../manifests/certificates.ts';
import { guardManifests } from '../../../manifests/guard.ts';
import { objectNames, selectorLabels } from '../../../manifests/names.ts';
import { poolerConfig, poolerDeployment, poolerService, poolersService } from '../../../manifests/pooler.ts';
import { poolerSecret, userList } from '../../../manifests/pooler-users.ts';
import { readerSecret } from '../../../manifests/secrets.ts';
import { colours, type Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { waitFor } from '../../../model/wait.ts';
import { refusedPod } from '../causes.ts';
import { certificateFindings, keepCertificates } from '../certificates.ts';
import type { Cluster, Stored } from '../cluster.ts';
import { sealDeclaration } from '../declaration.ts';
import { readerPasswords } from '../own-credentials.ts';
import type { KubernetesParts } from '../parts.ts';
import { explainPod, isReady, stuck, type Pod } from '../pods.ts';
import { clusterUnfit } from './create-checks.ts';
import { podStuck } from '../pod-waits.ts';

interface Deployment extends Stored {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

/** The poolers as declared, ready. */
export async function makePooler(
  environment: Environment,
  platform: KubernetesParts,
  credentials: Record<string, string>,
  raw: unknown,
): Promise<void> {
  const { cluster, secrets } = platform;
  await keepCertificates(environment, cluster);
  await requireEncrypted(environment, platform);
  const { guard, manifests } = guardManifests(environment, raw);
  // A clone has no declaration of its own, and nothing in the cluster that reads one.
  if (raw !== undefined) await sealDeclaration(cluster, environment, raw);
  for (const manifest of [
    ...manifests,
    poolerConfig(environment),
    poolerSecret(environment, userList(credentials, await secrets.console())),
    readerSecret(environment, await readerPasswords(secrets)),
    poolerService(environment),
    poolersService(environment),
  ])
    await cluster.apply(manifest);
  const { metadata } = await cluster.apply(poolerDeployment(environment, guard));
  await poolersReady(environment, cluster, metadata.generation ?? 0);
  // An earlier version's poolers were configured by it.
  await cluster.delete('ConfigMap', objectNames.pooler(environment.name));
}

/** One that stays stuck for 20 s ends the wait: nothing in the cluster makes it start. */
async function poolersReady(environment: Environment, cluster: Cluster, generation: number): Promise<void> {
  const name = objectNames.pooler(environment.name);
  const { replicas } = environment.kubernetes.pooler;
  let last = 'it says nothing';
  let since: number | undefined;
  await waitFor(
    async () => {
      const found = await cluster.read<Deployment>('Deployment', name);
      const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0 } = found?.status ?? {};
      const pods = await cluster.list<Pod>('Pod', selectorLabels(environment, 'pooler'));
      const refused = (found?.status?.conditions ?? []).flatMap(({ type, status, message = '' }) =>
        type === 'ReplicaFailure' && status === 'True' ? [message] : [],
      );
      const why = [...pods.flatMap((pod) => stuck(pod) ?? []), ...refused];
      since = why.length > 0 ? (since ?? performance.now()) : undefined;
      if (since !== undefined && performance.now() - since > 20_000)
        throw (
          refusedPod(cluster.namespace, name, why.join('; ')) ??
          podStuck(
            why.join('; '),
            `poolers of the Deployment ${cluster.namespace}/${name} that run.`,
            'see `kubectl describe pod`; for an image, kubernetes.images. The same command continues from here.',
          )
        );
      const unready = pods.filter((pod) => !isReady(pod)).map(explainPod);
      last = [`${readyReplicas} of ${replicas} are ready`, ...unready, ...refused].join('; ');
      return observedGeneration >= generation && updatedReplicas >= replicas && readyReplicas >= replicas
        ? true
        : undefined;
    },
    {
      limit: 300_000,
      every: 100,
      slowest: 500,
      what: `the poolers of Deployment ${cluster.namespace}/${name}`,
      next: "see `kubectl describe deployment` and the pods' logs; the same command continues from here.",
    },
    () => last,
  );
}

/**
 * Poolers that take encrypted servers only would serve nobody where a server has no certificate of ours: made before
 * TLS was declared, or adopted.
 */
async function requireEncrypted(environment: Environment, platform: KubernetesParts): Promise<void> {
  if (!plainRefused(environment)) return;
  const unfit = await certificateFindings(environment, platform.cluster);
  if (unfit.length > 0) throw clusterUnfit(unfit);
  const plain: Colour[] = [];
  for (const colour of colours)
    if ((await platform.servers.observe(colour)) && !(await platform.servers.encrypted(colour))) plain.push(colour);
  if (plain.length === 0) return;
  throw new VerdigrisError('server-without-tls', {
    seen:
      `${plain.join(' and ')} of ${environment.name} ${plain.length === 1 ? 'was' : 'were'} made before TLS was ` +
      'declared, and kubernetes.tls.plain is refused.',
    required: 'servers that all have a certificate, before the poolers take nothing else.',
    next:
      'declare kubernetes.tls: { plain: allowed } and release: the candidate has TLS, and after `retire` every ' +
      'server. Then declare refused. Nothing was changed.',
    facts: { colours: plain },
  });
}
