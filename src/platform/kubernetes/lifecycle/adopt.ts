import type { Adopted } from '../../../manifests/adopted.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { indented } from '../../../model/indented.ts';
import { operatorRole } from '../../../model/names.ts';
import { one } from '../../../postgres/client.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { forgetTokens } from '../../../postgres/token.ts';
import { makeOperator } from '../../../postgres/own-logins.ts';
import { readersOf } from '../../../postgres/readers.ts';
import { ident, literal } from '../../../postgres/quote.ts';
import { managedBy } from '../managed.ts';
import type { KubernetesParts } from '../parts.ts';
import { isReady } from '../pods.ts';
import type { ServerSet } from '../sets.ts';
import { secretValue } from '../secrets.ts';
import {
  factProblems,
  passwordProblems,
  serverProblems,
  serviceProblems,
  type DeclaredAdoption,
  type Problem,
  type ServerFacts,
} from './adopt-checks.ts';
import { dataPlace, ownerProblems, type Volumes } from './adopt-storage.ts';

/** What an adoption will take over, once every check has passed; nothing has been changed by then. */
export interface Adoption {
  readonly adopted: Adopted;
  readonly superuser: ConnectionSettings;
}

/** Reads an existing server as it is, and says all at once what keeps it from being a colour. */
export async function examine(
  environment: Environment,
  platform: KubernetesParts,
  declared: DeclaredAdoption,
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
    one<ServerFacts>(
      client,
      `
    SELECT rolsuper AS super, current_setting('data_directory') AS directory,
      current_setting('server_version_num')::int / 10000 AS major, current_setting('cluster_name') AS name,
      current_setting('port') AS port, EXISTS (SELECT FROM pg_database
        WHERE datname = ${literal(database)}) AS present FROM pg_roles WHERE rolname = current_user`,
    ),
  );
  const place = dataPlace(pod, facts.directory);
  problems.push(...factProblems(environment, superuser.user, facts));
  if ('fault' in place) problems.push(place.fault);
  problems.push(...ownerProblems(environment, pod, facts.directory));
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
    await makeOperator(client, password);
    await readersOf(client, { ...superuser, user: operatorRole, password });
    await ensureControlSchema(client);
    // Of an environment that it belonged to before.
    await forgetTokens(client);
    await client.query(`ALTER SCHEMA verdigris OWNER TO ${ident(operatorRole)}`);
  });
  await platform.adoption.record(adopted);
}

function refuse(problems: readonly Problem[]): VerdigrisError {
  const listed = problems.map(({ title, reason, fix }) => `${title}. ${reason} ${fix}`);
  return new VerdigrisError('adoption-refused', {
    seen: `The server cannot be adopted as it is:\n${indented(listed)}`,
    required: 'a server that a release can start from; it was not changed.',
    next: 'fix what is listed (what needs a restart, at a time of your choice), then run the same command again.',
    facts: { problems },
  });
}
