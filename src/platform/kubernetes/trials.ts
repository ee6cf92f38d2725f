import { setTimeout as sleep } from 'node:timers/promises';
import { guardRules, type RbacRule } from '../../manifests/rbac.ts';
import { objectNames } from '../../manifests/names.ts';
import { probeDatabases } from '../../manifests/pooler-settings.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { replicationRole } from '../../model/names.ts';
import { rows } from '../../postgres/client.ts';
import { withOwnSession, withPooledSession } from '../../postgres/session.ts';
import { passwordFits } from '../../postgres/verifier.ts';
import type { Behind } from '../port/platform.ts';
import type { Trial } from '../trial.ts';
import type { Cluster } from './cluster.ts';
import type { Replica } from '../poolers/consoles.ts';
import type { Poolers } from './poolers.ts';
import { whoAnswers } from './probes.ts';
import { neededRules } from './requirements.ts';
import { rightsMissing } from './rights.ts';
import type { Routes } from './routes.ts';
import type { Secrets } from './secrets.ts';
import type { KubernetesServers } from './servers.ts';
import { connectionIn } from '../connection-in.ts';

/** Milliseconds that a mesh has to lead every proxy by the weights of now, and between two looks at one. */
const settling = 3_500;
const settlingPause = 200;

/** Who uses what is tried: the operator, or the guard beside a pooler, from its own network and with its own rights. */
export type TriedBy = 'operator' | 'guard';

/** What of a platform is tried. */
interface Tried {
  readonly cluster: Cluster;
  readonly secrets: Secrets;
  readonly servers: KubernetesServers;
  readonly poolers: Poolers;
  readonly routes: Routes;
}

/**
 * All that this process would use behind the commit point, by connections and Secrets of now: `platform` is opened for
 * this and closed afterwards, since what an open one has kept proves nothing for the next one.
 */
export async function behindCommit(
  environment: Environment,
  platform: Tried,
  behind: Behind,
  by: TriedBy,
): Promise<Trial[]> {
  const { cluster } = platform;
  const replicas = await platform.poolers.required();
  const rules = by === 'guard' ? guardRules(environment) : neededRules(environment, 'release', cluster.inside);
  return [
    rights(environment, platform, by, rules),
    ...[behind.live, ...(behind.idle === undefined ? [] : [behind.idle])].map((colour) =>
      server(environment, platform, behind, colour),
    ),
    ...replicas.flatMap((replica) => [
      consoleOf(environment, platform, replica),
      ...logins(environment, platform, behind, replica),
    ]),
    ...platform.routes.trials(),
  ];
}

function rights(
  { name, kubernetes: { namespace } }: Environment,
  { cluster }: Tried,
  by: TriedBy,
  rules: readonly RbacRule[],
): Trial {
  const [whose, fix] =
    by === 'guard'
      ? [
          `the Role ${namespace}/${name}-guard`,
          'Run `verdigris up`, or have the Role made again as docs/kubernetes.md lists it.',
        ]
      : ['the rights of these credentials', "Have the operator's Role (docs/kubernetes.md) bound to them again."];
  return {
    thing: `${whose} in the namespace ${namespace}`,
    fix,
    async use() {
      const missing = await rightsMissing(cluster, rules);
      if (missing.length > 0) throw new Error(`may not ${missing.join('; may not ')}`);
    },
  };
}

/**
 * A new login as the operator, who opens and closes colours, and every password of a Secret against what the server
 * knows.
 */
function server(environment: Environment, platform: Tried, { live, idle, carried }: Behind, colour: Colour): Trial {
  const { name, kubernetes, database, roles } = environment;
  // The other colour has the live one's passwords once they were carried.
  const applications = colour === live || carried ? [...roles.application, ...roles.readers] : [];
  return {
    thing: `the server ${colour}`,
    fix:
      `See whether its pod runs and who may reach it (NetworkPolicy ${name}-database); where a password ` +
      `differs, put the one that the server knows back: \`kubectl -n ${kubernetes.namespace} edit secret\`; ` +
      '`verdigris rotate` changes it in both.',
    async use() {
      const secrets: [string, string, string][] = [];
      // Each seed gives the replication role the Secret's: before one, a copy of another environment has that one's.
      if (idle !== undefined)
        secrets.push([
          replicationRole,
          await platform.secrets.replication(),
          `${objectNames.operatorSecret(name)}, key replication-password`,
        ]);
      for (const role of applications) {
        const { login, password } = await platform.secrets.login(role);
        secrets.push([login, password, `${objectNames.roleSecret(name, role)}, key password`]);
      }
      const known = await withOwnSession(await connectionIn(platform.servers, colour, database), 'trial', (client) =>
        rows<{ role: string; verifier: string | null }>(
          client,
          'SELECT rolname AS role, rolpassword AS verifier FROM pg_authid WHERE rolname = ANY ($1)',
          [secrets.map(([role]) => role)],
        ),
      );
      const verifiers = new Map(known.map(({ role, verifier }) => [role, verifier]));
      const other = secrets.filter(([role, password]) => !passwordFits(verifiers.get(role) ?? null, role, password));
      if (other.length > 0)
        throw new Error(
          other
            .map(
              ([role, , where]) =>
                `the Secret ${kubernetes.namespace}/${where}, is not the password that ${colour} knows of ${role}`,
            )
            .join('; '),
        );
    },
  };
}

function consoleOf({ name, kubernetes: { namespace } }: Environment, { poolers }: Tried, replica: Replica): Trial {
  return {
    thing: `the console of the pooler ${replica.pod} (port 6432), with the Secret ${namespace}/${objectNames.operatorSecret(name)}, key console-password`,
    fix:
      `See who may reach it (NetworkPolicy ${name}-pooler, PeerAuthentication) and the pooler's log. Where the ` +
      `Secret was edited, put the password back that the poolers know: \`kubectl -n ${namespace} get secret ` +
      `${objectNames.pooler(name)} -o 'jsonpath={.data.userlist\\.txt}' | base64 -d\`.`,
    async use() {
      const console = await poolers.open(replica, 'trial');
      try {
        await console.say('SHOW VERSION');
      } finally {
        await console.close();
      }
    },
  };
}

/**
 * Every role through every pooler, with the password of its Secret, to the server that answers there; and as is asked
 * behind the commit point, the first application role on both ways. While a canary has a share of the reads it is not
 * asked there: the candidate lets readers in alone.
 */
function logins(
  environment: Environment,
  { poolers, routes }: Tried,
  { live, carried }: Behind,
  replica: Replica,
): Trial[] {
  const { name, roles, kubernetes } = environment;
  const [writes, reads] = probeDatabases;
  const writers = carried || roles.readers.length === 0 ? roles.application.slice(0, 1) : [];
  const asks = [
    ...roles.application.map((role) => [role, writes] as const),
    ...[...writers, ...roles.readers].map((role) => [role, reads] as const),
  ];
  return asks.map(([role, database]) => ({
    thing:
      `the way of ${database === writes ? 'writes' : 'reads'} through the pooler ${replica.pod}, as ${role} ` +
      `with the Secret ${kubernetes.namespace}/${objectNames.roleSecret(name, role)}`,
    fix:
      `Where the password was edited, put the one back that poolers and database know: \`kubectl -n ` +
      `${kubernetes.namespace} get secret ${objectNames.pooler(name)} -o 'jsonpath={.data.userlist\\.txt}' | ` +
      `base64 -d\` shows it. ${routes.fix(live)}`,
    async use() {
      for (const end = performance.now() + settling; ; await sleep(settlingPause)) {
        const { colour } = await withPooledSession(await poolers.client(replica, role, database), 'trial', whoAnswers);
        // As long as a canary has a share of the reads, either colour may answer them.
        if (colour === live || (database === reads && !carried)) return;
        if (performance.now() > end) throw new Error(`${colour} answers, and ${live} is live`);
        // The pooler may have kept a connection of before the readers were called back, and a proxy the weights.
        await poolers.reconnect(replica, database);
      }
    },
  }));
}
