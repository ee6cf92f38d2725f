import { declarationFile, declarationJson } from '../../../manifests/declaration.ts';
import { sealFiles } from '../seal.ts';
import { findingLine, refusals, refuses, type Finding } from '../../../model/finding.ts';
import { plainRefused } from '../../../manifests/certificates.ts';
import { fixedManifests } from '../../../manifests/fixed.ts';
import { guardManifests } from '../../../manifests/guard.ts';
import { objectNames, selectorLabels } from '../../../manifests/names.ts';
import { poolerConfig, poolerDeployment, poolerService, poolersService } from '../../../manifests/pooler.ts';
import { poolerSecret, userList } from '../../../manifests/pooler-users.ts';
import { operatorSecret, roleSecret } from '../../../manifests/secrets.ts';
import { journalLost, strangers } from '../../../model/birth.ts';
import { colours, type Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import type { Emit } from '../../../model/events.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { newCredentials } from '../../../model/credential-record.ts';
import { indented } from '../../../model/indented.ts';
import { newJournal, serializeJournal } from '../../../model/journal.ts';
import { waitFor } from '../../../model/wait.ts';
import { rows } from '../../../postgres/client.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { readEnvironment } from '../../../postgres/token.ts';
import { fillServer } from '../../fill.ts';
import type { CreateOptions } from '../../port/lifecycle.ts';
import { examine, takeOverAdopted } from './adopt.ts';
import { certificateFindings, keepCertificates } from '../certificates.ts';
import type { Stored } from '../cluster.ts';
import { refusedPod } from '../causes.ts';
import { lastingSnapshots } from '../identity.ts';
import type { KubernetesParts } from '../parts.ts';
import { explainPod, isReady, stuck, type Pod } from '../pods.ts';
import { examineOrigin, openProvisioned as opened, provision } from './provision.ts';
import { randomPassword, secretValue } from '../secrets.ts';

export interface CreateKubernetesOptions extends CreateOptions {
  /** False where a Pulumi program declares what is fixed. */
  readonly fixed?: boolean;
  /** Told what begins. */
  readonly emit?: Emit;
}

/**
 * Makes an environment, its first colour from nothing or adopted: Secrets, database, roles, pooler, routes, and last
 * the journal, whose presence says that all the rest is there. Cut short, it is repeated. Says by `created` whether
 * there was anything to make.
 */
export async function createKubernetes(
  environment: Environment,
  platform: KubernetesParts,
  options: CreateKubernetesOptions,
): Promise<{ created: boolean }> {
  const journal = await platform.journal.read().catch(async (error: unknown) => {
    // Where not even this may be read, everything that is missing is said.
    await requireCluster(platform);
    throw error;
  });
  if (journal) {
    await platform.creation.end();
    return { created: false };
  }
  const { live, name } = environment;
  const declared = environment.colours[live];
  if (!declared) throw new Error('a parsed declaration has its live colour');
  await requireCluster(platform);
  await refuseRemains(platform);
  const { cluster } = platform;
  const { adopt, from } = environment.kubernetes;
  const existing = adopt && (await examine(environment, platform, adopt));
  const original = from && (await examineOrigin(environment, platform, from));
  if (options.emit) platform.listen(options.emit);
  const say = (text: string): void => options.emit?.({ type: 'note', text: `create: ${text} …` });
  const uid = await platform.creation.begin();
  say('make the Secrets');
  const credentials = await makeSecrets(environment, platform);
  for (const manifest of options.fixed === false ? [] : fixedManifests(environment)) await cluster.apply(manifest);
  if (existing) {
    say(`take over StatefulSet ${existing.adopted.statefulSet} as ${live}`);
    await takeOverAdopted(platform, existing);
  } else if (from && original) {
    say(`make ${live} of a copy, with its volume`);
    await provision(environment, platform, from, original);
    await fillServer(environment, platform.servers, credentials, options.fill);
    await opened(environment, platform);
  } else {
    say(`make the server of ${live} and its volume`);
    await platform.servers.initialize(live, declared.postgres, 1, declared.release);
    await requireUnborn(environment, platform);
    await fillServer(environment, platform.servers, credentials, options.fill);
  }
  say('make the routes and the poolers');
  await platform.routes.establish({ live, canary: 0, token: 0 });
  await makePooler(environment, platform, credentials, options.raw);
  if (adopt?.service) await platform.routes.attach(adopt.service, { live, canary: 0, token: 0 });
  const made = newCredentials(environment, await platform.credentials.own.names());
  await platform.journal.write(
    0,
    serializeJournal({ ...newJournal(name, live, declared.release, uid), credentials: made }),
  );
  await platform.certify(uid);
  await platform.creation.end();
  return { created: true };
}

/**
 * Servers or volumes without a journal are an environment that lost it, unless a creation was cut short: that one has
 * made nothing but a first life.
 */
async function refuseRemains(platform: KubernetesParts): Promise<void> {
  const { cluster, environment } = platform;
  const found = await platform.remains();
  if (found.length === 0) return;
  const begun = await platform.creation.underWay();
  const first = new RegExp(`/${environment}-(blue|green)(-1)?$`);
  if (begun !== undefined && strangers(begun, found).length === 0 && found.every(({ what }) => first.test(what)))
    return;
  throw journalLost(environment, `the namespace ${cluster.namespace}`, found, {
    snapshots: await lastingSnapshots(platform),
    forget: `delete these objects, then run the same command.`,
  });
}

/** A volume whose labels and name were lost may still hold an environment's database. */
async function requireUnborn({ live, database }: Environment, platform: KubernetesParts): Promise<void> {
  const connection = await platform.servers.connection(live);
  const born = await withOwnSession(connection, 'create', async (client) => {
    const there = await rows(client, 'SELECT FROM pg_database WHERE datname = $1', [database]);
    return there.length === 0
      ? undefined
      : withOwnSession({ ...connection, database }, 'create', (inside) => readEnvironment(inside));
  });
  if (born === undefined) return;
  throw journalLost(platform.environment, `the namespace ${platform.cluster.namespace}`, [
    { what: `the database ${database} on ${live}`, uid: born },
  ]);
}

/** Before anything is made: everything that is missing, at once. Reads only. */
export async function requireCluster(platform: KubernetesParts): Promise<void> {
  const { cluster } = platform;
  const findings = await platform.requirements('making');
  if (refuses(findings)) throw unfitCluster(refusals(findings));
  for (const each of findings) cluster.tell(`${each.grade}: ${findingLine(each)}. ${each.fix}`);
  if (await cluster.read('Namespace', cluster.namespace)) return;
  throw new VerdigrisError('no-namespace', {
    seen: `The cluster has no namespace ${cluster.namespace}.`,
    required: 'a namespace that exists: whom it belongs to and what quotas it has is not for a database to decide.',
    next: `run \`kubectl create namespace ${cluster.namespace}\`, or declare kubernetes.namespace.`,
  });
}

function unfitCluster(findings: readonly Finding[]): VerdigrisError {
  const lacking = findings.map((finding) => `${findingLine(finding, Infinity)}. ${finding.fix}`);
  return new VerdigrisError('cluster-unfit', {
    seen: `The cluster lacks what an environment needs:\n${indented(lacking)}`,
    required: 'all of it before anything is made.',
    next: 'fix what is listed; nothing was changed.',
    facts: { findings },
  });
}

/** Passwords are made once: a Secret that is there keeps its own. */
async function makeSecrets(
  environment: Environment,
  { cluster, secrets }: KubernetesParts,
): Promise<Record<string, string>> {
  await cluster.create(
    operatorSecret(environment, {
      operator: randomPassword(),
      replication: randomPassword(),
      console: randomPassword(),
    }),
  );
  const credentials: Record<string, string> = {};
  for (const role of [...environment.roles.application, ...environment.roles.readers]) {
    const given = environment.kubernetes.passwords[role];
    await cluster.create(
      roleSecret(environment, role, {
        login: role,
        password: given ? await secretValue(cluster, given.secret, given.key) : randomPassword(),
      }),
    );
    credentials[role] = await secrets.role(role);
  }
  return credentials;
}

/**
 * Poolers that take encrypted servers only would serve nobody where a server has no certificate of ours: made before
 * TLS was declared, or adopted.
 */
async function requireEncrypted(environment: Environment, platform: KubernetesParts): Promise<void> {
  if (!plainRefused(environment)) return;
  const unfit = await certificateFindings(environment, platform.cluster);
  if (unfit.length > 0) throw unfitCluster(unfit);
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
  if (raw !== undefined) await sealFiles(cluster, environment, { [declarationFile]: declarationJson(raw) });
  const name = objectNames.pooler(environment.name);
  for (const manifest of [
    ...manifests,
    poolerConfig(environment),
    poolerSecret(environment, userList(credentials, await secrets.console())),
    poolerService(environment),
    poolersService(environment),
  ])
    await cluster.apply(manifest);
  const { metadata } = await cluster.apply(poolerDeployment(environment, guard));
  const { replicas } = environment.kubernetes.pooler;
  let last = 'it says nothing';
  let since: number | undefined;
  await waitFor(
    async () => {
      const found = await cluster.read<
        Stored & {
          status?: {
            observedGeneration?: number;
            updatedReplicas?: number;
            readyReplicas?: number;
            replicas?: number;
            conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
          };
        }
      >('Deployment', name);
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
          new VerdigrisError('pod-stuck', {
            seen: `${why.join('; ')}.`,
            required: `poolers of the Deployment ${cluster.namespace}/${name} that run.`,
            next: 'see `kubectl describe pod`; for an image, kubernetes.images. The same command goes on from here.',
            facts: { cause: why.join('; ') },
          })
        );
      const unready = pods.filter((pod) => !isReady(pod)).map(explainPod);
      last = [`${readyReplicas} of ${replicas} are ready`, ...unready, ...refused].join('; ');
      return observedGeneration >= (metadata.generation ?? 0) &&
        updatedReplicas >= replicas &&
        readyReplicas >= replicas
        ? true
        : undefined;
    },
    {
      limit: 300_000,
      every: 100,
      slowest: 500,
      what: `the poolers of Deployment ${cluster.namespace}/${name}`,
      next: 'see `kubectl describe deployment` and the pods’ logs; the same command goes on from here.',
    },
    () => last,
  );
}
