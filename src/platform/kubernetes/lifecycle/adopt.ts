import { refusals } from '../../../model/finding.ts';
import type { Adopted } from '../../../manifests/adopted.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import type { Finding } from '../../../model/finding.ts';
import { operatorRole } from '../../../model/names.ts';
import { one, rows, withOwnSession, type Client, type ConnectionSettings } from '../../../postgres/client.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { forgetTokens } from '../../../postgres/token.ts';
import { preflight, releaseNeeds } from '../../../postgres/preflight/index.ts';
import { checkLimits } from '../../../postgres/preflight/limits.ts';
import { ident, literal } from '../../../postgres/quote.ts';
import { passwordClause, passwordFits } from '../../../postgres/verifier.ts';
import { closedTo } from '../../../postgres/hba.ts';
import { managedBy } from '../managed.ts';
import type { KubernetesParts } from '../parts.ts';
import { isReady, type Pod } from '../pods.ts';
import type { ServerSet } from '../sets.ts';
import { secretValue } from '../secrets.ts';
import type { Stored } from '../cluster.ts';

type Declared = NonNullable<Environment['kubernetes']['adopt']>;

interface ServiceObject extends Stored {
  readonly spec: {
    readonly clusterIP?: string;
    readonly type?: string;
    readonly selector?: Record<string, string>;
    readonly ports?: readonly { readonly port: number }[];
  };
}

interface Volumes extends Omit<Pod, 'spec'> {
  readonly spec: {
    readonly securityContext?: { readonly runAsUser?: number };
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly securityContext?: { readonly runAsUser?: number };
      readonly volumeMounts?: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly subPath?: string;
      }[];
    }[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
  };
}

/** What an adoption will take over, once every check has passed; nothing has been changed by then. */
export interface Adoption {
  readonly adopted: Adopted;
  readonly superuser: ConnectionSettings;
}

/** Reads an existing server as it stands, and says all at once what keeps it from being a colour. */
export async function examine(
  environment: Environment,
  platform: KubernetesParts,
  declared: Declared,
): Promise<Adoption> {
  const { cluster } = platform;
  const { live, database, colours } = environment;
  const set = await cluster.read<ServerSet>('StatefulSet', declared.statefulSet);
  const pod = await cluster.read<Volumes>('Pod', `${declared.statefulSet}-0`);
  const managed = await managedBy(cluster, declared.statefulSet, set, pod);
  if (managed) throw refuse([managed]);
  if (!set || !pod || !isReady(pod))
    throw refuse([
      {
        title:
          `the ${set ? `pod ${declared.statefulSet}-0` : `StatefulSet ${declared.statefulSet}`} in ` +
          `${cluster.namespace} is ${set && pod ? 'not ready' : 'not there'}`,
        reason: 'A server is adopted while it serves.',
        fix: set
          ? 'Bring it up first.'
          : 'Name the StatefulSet whose only pod is the server (kubernetes.adopt.statefulSet).',
      },
    ]);
  const password = await secretValue(cluster, declared.superuser.secret, declared.superuser.key);
  const address = await platform.reach.address(pod.metadata.name, 5432, pod.status?.podIP ?? '');
  const superuser = {
    ...address,
    user: declared.superuser.user,
    password,
    database: 'postgres',
    passwordFrom: `the Secret ${cluster.namespace}/${declared.superuser.secret}, key ${declared.superuser.key}`,
  };
  const problems: Problem[] = [
    ...(set.spec.replicas === 1
      ? []
      : [
          {
            title: `${declared.statefulSet} has ${set.spec.replicas} replicas`,
            reason: 'Replicas of its own would not be part of a switchover, and would follow the old colour.',
            fix: `Scale it to 1: kubectl scale statefulset ${declared.statefulSet} --replicas=1`,
          },
        ]),
  ];
  problems.push(...(await passwordProblems(environment, platform, superuser)));
  const facts = await withOwnSession(superuser, 'adopt', (client) =>
    one<{ super: boolean; directory: string; major: number; name: string; port: string; present: boolean }>(
      client,
      `
    SELECT rolsuper AS super, current_setting('data_directory') AS directory,
      current_setting('server_version_num')::int / 10000 AS major, current_setting('cluster_name') AS name,
      current_setting('port') AS port, EXISTS (SELECT FROM pg_database
        WHERE datname = ${literal(database)}) AS present FROM pg_roles WHERE rolname = current_user`,
    ),
  );
  const place = dataPlace(pod, facts.directory);
  const declaredMajor = colours[live]?.postgres;
  if (!facts.super)
    problems.push({
      title: `${superuser.user} is no superuser`,
      reason: 'Verdigris makes a superuser of its own, to fence and to replicate.',
      fix: 'Name a superuser in kubernetes.adopt.superuser.',
    });
  if (facts.major !== declaredMajor)
    problems.push({
      title: `the server is PostgreSQL ${facts.major}, colours.${live} declares ${String(declaredMajor)}`,
      reason: 'A colour is declared as it is.',
      fix: `Declare colours.${live}.postgres: ${facts.major}.`,
    });
  if (facts.name.endsWith('-green'))
    problems.push({
      title: `cluster_name is ${facts.name}`,
      reason: 'By it the colours are told apart, and an adopted one is blue.',
      fix: 'Take the ending -green away, and restart the server at a time of your choice.',
    });
  if (!facts.present)
    problems.push({
      title: `the database ${database} is not there`,
      reason: 'An environment is one database.',
      fix: 'Name the database that is there.',
    });
  if ('fault' in place) problems.push(place.fault);
  const user =
    pod.spec.containers.find(({ volumeMounts = [] }) =>
      volumeMounts.some(({ mountPath }) => facts.directory.startsWith(mountPath)),
    )?.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (user !== undefined && user !== 0 && user !== environment.kubernetes.user)
    problems.push({
      title: `its server runs as user ${user}, the candidates would run as ${environment.kubernetes.user}`,
      reason: 'PostgreSQL refuses a data directory that another user owns, and a copy keeps the owner.',
      fix: `Declare kubernetes.user: ${user}, and images of PostgreSQL that run as any user, as the official ones do.`,
    });
  problems.push(...(await serviceProblems(platform, declared)));
  if (facts.present)
    problems.push(
      ...(await withOwnSession({ ...superuser, database }, 'adopt', (client) =>
        serverProblems(environment, client, superuser.user),
      )),
    );
  if (problems.length > 0 || 'fault' in place) throw refuse(problems);
  return {
    superuser: { ...superuser, database },
    adopted: {
      colour: live,
      statefulSet: declared.statefulSet,
      claim: place.claim,
      path: place.path,
      major: facts.major,
      release: colours[live]?.release ?? '',
      atRetire: declared.atRetire,
      ...(declared.service ? { service: declared.service } : {}),
    },
  };
}

/** Gives Verdigris its own way into the adopted server; its pod goes on as it is. */
export async function takeOverAdopted(platform: KubernetesParts, { adopted, superuser }: Adoption): Promise<void> {
  const password = await platform.secrets.operator();
  await withOwnSession(superuser, 'adopt', async (client) => {
    const present = await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1', [operatorRole]);
    await client.query(
      `${present.length > 0 ? 'ALTER' : 'CREATE'} ROLE ${ident(operatorRole)} SUPERUSER LOGIN ${passwordClause(password)}`,
    );
    await ensureControlSchema(client);
    // Of an environment that it belonged to before.
    await forgetTokens(client);
    await client.query(`ALTER SCHEMA verdigris OWNER TO ${ident(operatorRole)}`);
  });
  await platform.adoption.record(adopted);
}

type Problem = Pick<Finding, 'title' | 'reason' | 'fix'>;

/**
 * Each declared role's own password, held against what the server keeps of it: the poolers will need it. A log-in would
 * prove nothing here, since most servers trust whoever comes from their own pod, as a port-forward does.
 */
async function passwordProblems(
  { roles, kubernetes: { passwords, adopt } }: Environment,
  { cluster }: KubernetesParts,
  superuser: ConnectionSettings,
): Promise<Problem[]> {
  const kept = await withOwnSession(superuser, 'adopt', (client) =>
    rows<{ name: string; verifier: string | null }>(
      client,
      'SELECT rolname AS name, rolpassword AS verifier FROM pg_authid',
    ),
  );
  const fits = (role: string, given: string) =>
    passwordFits(kept.find(({ name }) => name === role)?.verifier ?? null, role, given);
  if (!fits(superuser.user, superuser.password ?? '')) {
    throw new VerdigrisError('wrong-password', {
      seen: `The password of ${superuser.user} in ${superuser.passwordFrom ?? 'its Secret'} is not the one that ${adopt?.statefulSet ?? 'the server'} has.`,
      required: 'the password of a superuser.',
      next: 'put the right one into the Secret, or name another; nothing was changed.',
    });
  }
  const problems: Problem[] = [];
  for (const role of [...roles.application, ...roles.readers]) {
    const declared = passwords[role];
    if (!declared)
      problems.push({
        title: `the password of the role ${role} is not known`,
        reason: 'The poolers log in as the roles that clients have.',
        fix: `Declare kubernetes.passwords.${role}: { secret, key } with the Secret that its software uses.`,
      });
    else if (!fits(role, await secretValue(cluster, declared.secret, declared.key)))
      problems.push({
        title: `the role ${role} cannot log in with the password in the Secret ${declared.secret}, key ${declared.key}`,
        reason: 'The poolers log in as the roles that clients have.',
        fix: 'Put the role’s password there, or name the Secret that its software uses.',
      });
  }
  return problems;
}

/** Which claim holds the data directory, and where in it. */
function dataPlace(pod: Volumes, directory: string): { claim: string; path: string } | { fault: Problem } {
  const claims = new Map(
    (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim: claim }) =>
      claim ? [[name, claim.claimName] as const] : [],
    ),
  );
  const mounts = pod.spec.containers
    .flatMap(({ volumeMounts = [] }) => volumeMounts)
    .filter(({ name }) => claims.has(name));
  const within = mounts
    .filter(({ mountPath }) => directory === mountPath || directory.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    .toSorted((one, two) => two.mountPath.length - one.mountPath.length)[0];
  const claim = within && claims.get(within.name);
  if (!within || claim === undefined)
    return {
      fault: {
        title: `its data directory ${directory} is on no PersistentVolumeClaim`,
        reason: 'A candidate is made from a snapshot of the claim.',
        fix: 'Load a dump into a new environment instead.',
      },
    };
  const others = [...new Set(mounts.map(({ name }) => name))].filter((name) => name !== within.name);
  if (others.length > 0)
    return {
      fault: {
        title: `its pod has further volumes (${others.join(', ')})`,
        reason: 'WAL or tablespaces on another volume need a snapshot of both at one instant.',
        fix: 'Move everything to one volume; or load a dump into a new environment.',
      },
    };
  return {
    claim,
    path: [within.subPath ?? '', directory.slice(within.mountPath.replace(/\/$/, '').length)]
      .join('/')
      .split('/')
      .filter(Boolean)
      .join('/'),
  };
}

async function serviceProblems({ cluster }: KubernetesParts, { service }: Declared): Promise<Problem[]> {
  if (!service) return [];
  const found = await cluster.read<ServiceObject>('Service', service.name);
  if (!found)
    return [
      {
        title: `the Service ${cluster.namespace}/${service.name} is not there`,
        reason: 'It is to lead to the live colour from now on.',
        fix: 'Name the Service that clients use, or leave kubernetes.adopt.service out.',
      },
    ];
  if (found.spec.clusterIP === 'None' || found.spec.type === 'ExternalName')
    return [
      {
        title: `the Service ${service.name} has no address of its own`,
        reason: 'Clients of a headless Service keep the address of the pod.',
        fix: 'Have clients use a Service with an address, or the environment’s own; leave kubernetes.adopt.service out.',
      },
    ];
  if (found.spec.ports?.length !== 1)
    return [
      {
        title: `the Service ${service.name} has several ports`,
        reason: 'Only one of them can be PostgreSQL’s.',
        fix: 'Give PostgreSQL a Service of its own.',
      },
    ];
  return [];
}

/** What any release would be refused for, settings first among them, with the statement that fixes it. */
async function serverProblems(
  { name, live, roles, limits, colours }: Environment,
  client: Client,
  operator: string,
): Promise<Problem[]> {
  const found = await preflight(client, {
    environment: name,
    side: 'live',
    gate: 'seed',
    operator,
    roles,
    candidateMajor: colours[live]?.postgres ?? 17,
    runAsOwner: false,
    needs: releaseNeeds,
    walOnOtherVolume: false,
    limits: checkLimits(limits),
  });
  return [...refusals(found), ...(await closedTo(client))];
}

function refuse(problems: readonly Problem[]): VerdigrisError {
  return new VerdigrisError('adoption-refused', {
    seen: `The server cannot be adopted as it is:\n${problems.map(({ title, reason, fix }) => `  ${title}. ${reason} ${fix}`).join('\n')}\n`,
    required: 'a server that a release can start from; it was not changed.',
    next: 'fix what is listed (what needs a restart, at a time of your choice), then run the same command again.',
    facts: { problems },
  });
}
