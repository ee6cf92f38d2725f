import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { ownRoles } from '../../model/names.ts';
import { ownerSecret, type CnpgFacts } from './objects.ts';

/** What keeps a Cluster from being a colour: a name that the documentation has, what was seen, and what to do. */
export interface CnpgProblem {
  readonly name: string;
  readonly seen: string;
  readonly fix: string;
}

/** First major whose logical slots survive a failover. */
const carryingMajor = 17;

/** Settings by which standbys carry logical slots; the operator's own word for that comes besides. */
const carrying = { sync_replication_slots: 'on', hot_standby_feedback: 'on' } as const;

const healthy = 'Cluster in healthy state';

/**
 * Everything of a Cluster's spec and state that a release could not survive, or that its operator would undo. `other`:
 * the Cluster of the other colour, where that is one.
 */
export function problemsOf(
  { roles, colours }: Pick<Environment, 'roles' | 'colours'>,
  colour: Colour,
  facts: CnpgFacts,
  other?: CnpgFacts,
): CnpgProblem[] {
  const { spec, status = {}, metadata } = facts.cluster;
  const { annotations = {} } = metadata;
  const declared = colours[colour]?.postgres;
  const major = status.pgDataImageInfo?.majorVersion;
  const problems: CnpgProblem[] = [];
  const add = (name: string, seen: string, fix: string): void => void problems.push({ name, seen, fix });

  if (spec.replica?.enabled === true || (spec.replica?.primary ?? metadata.name) !== metadata.name)
    add(
      'replica-cluster',
      'it is a replica cluster, or part of a distributed topology',
      'name the Cluster that takes writes',
    );
  if (annotations['cnpg.io/hibernation'] === 'on')
    add(
      'hibernated',
      'it is hibernated',
      `kubectl annotate cluster ${metadata.name} cnpg.io/hibernation=off --overwrite`,
    );
  if ((annotations['cnpg.io/fencedInstances'] ?? '[]') !== '[]' && annotations['cnpg.io/fencedInstances'] !== '')
    add(
      'fenced',
      `instances are fenced: ${annotations['cnpg.io/fencedInstances'] ?? ''}`,
      'lift the fencing (kubectl cnpg fencing off)',
    );
  if (status.phase !== healthy)
    add('not-healthy', `its phase is "${status.phase ?? 'unknown'}"`, `wait until it says "${healthy}"`);
  if ((status.readyInstances ?? 0) < spec.instances)
    add(
      'standby-missing',
      `${status.readyInstances ?? 0} of ${spec.instances} instances are ready: logical replication waits for every standby, without end`,
      'bring the missing instance back, or take it out of spec.instances',
    );
  if (major !== undefined && declared !== undefined && major !== declared)
    add('major', `it is PostgreSQL ${major}, colours.${colour}.postgres says ${declared}`, `declare ${major}`);
  if (spec.enableSuperuserAccess === true)
    add(
      'superuser-access',
      'enableSuperuserAccess is on: postgres has a password, a door that no fence may close',
      'set it to false',
    );
  const managed = (spec.managed?.roles ?? []).filter(
    ({ name, login, ensure }) => login === true && ensure !== 'absent' && !ownRoles.includes(name),
  );
  if (managed.length > 0)
    add(
      'managed-role',
      `spec.managed.roles gives LOGIN to ${managed.map(({ name }) => name).join(', ')}: ` +
        'the operator opens within seconds what the fence closes, and there would be two writers',
      'take these roles out of spec.managed.roles (they stay in the database), or set login: false where nobody uses them',
    );
  if (facts.roles.length > 0)
    add(
      'managed-role',
      `a DatabaseRole gives LOGIN to ${facts.roles.join(', ')}`,
      'delete the DatabaseRole with databaseRoleReclaimPolicy: retain',
    );
  if (facts.poolers.length > 0)
    add(
      'pooler',
      `the Pooler ${facts.poolers.join(', ')} leads to it: CloudNativePG's Pooler belongs to one Cluster for life, and cannot carry its clients to another`,
      'move its clients to the Service of the environment, then delete it',
    );
  if (facts.subscriptions.length > 0)
    add(
      'subscription',
      `CloudNativePG's Subscription ${facts.subscriptions.join(', ')} writes to it past the fence`,
      'delete it before the release',
    );
  if (spec.instances > 1) problems.push(...failoverProblems(facts, major));
  problems.push(...passwordProblems(roles, facts, other));
  return problems;
}

/** What a failover in the middle of a release would lose. */
function failoverProblems({ cluster: { spec } }: CnpgFacts, major: number | undefined): CnpgProblem[] {
  const parameters = spec.postgresql?.parameters ?? {};
  const slots = spec.replicationSlots?.highAvailability;
  const problems: CnpgProblem[] = [];
  if (major !== undefined && major < carryingMajor)
    problems.push({
      name: 'slots-end',
      seen: `logical slots of PostgreSQL ${major} do not survive a failover, and it has ${spec.instances} instances`,
      fix: `scale it to one instance for the length of the release, or move to PostgreSQL ${carryingMajor} first`,
    });
  else if (
    Object.entries(carrying).some(([name, value]) => parameters[name] !== value) ||
    slots?.synchronizeLogicalDecoding !== true ||
    slots.enabled === false
  )
    problems.push({
      name: 'slots-not-carried',
      seen: 'its standbys do not carry logical slots: a failover would end the release, or the way back',
      fix:
        `add to its spec (a reload, no restart): postgresql.parameters: { ${Object.entries(carrying)
          .map(([name, value]) => `${name}: "${value}"`)
          .join(', ')} } ` +
        'and replicationSlots: { highAvailability: { enabled: true, synchronizeLogicalDecoding: true } }',
    });
  if (spec.postgresql?.synchronous === undefined && (spec.minSyncReplicas ?? 0) === 0)
    problems.push({
      name: 'not-synchronous',
      seen: 'what it acknowledges is on one disk: its own failover loses it, and what replication brought with it',
      fix: 'add to its spec (a reload, no restart): postgresql: { synchronous: { method: any, number: 1, dataDurability: preferred } }',
    });
  const idle = parameters['idle_replication_slot_timeout'];
  if (idle !== undefined && idle !== '0')
    problems.push({
      name: 'slot-timeout',
      seen: `idle_replication_slot_timeout is ${idle}: a slot that nobody reads for so long ends, and with it the lossless rollback`,
      fix: 'take it out of postgresql.parameters for the length of the release',
    });
  return problems;
}

/** The operator sets the owner's password from its Secret at every restart: both Clusters must read the same one. */
function passwordProblems(
  { application, readers, owner }: Environment['roles'],
  { cluster }: CnpgFacts,
  other: CnpgFacts | undefined,
): CnpgProblem[] {
  const own = ownerSecret(cluster);
  if (![...application, ...readers, owner].includes(own.owner)) return [];
  const fix =
    "keep the password in a Secret of your own (kubernetes.io/basic-auth), and name it in the bootstrap's secret of both Clusters";
  if (own.secret === `${cluster.metadata.name}-app`)
    return [
      {
        name: 'app-secret',
        seen: `the password of ${own.owner} is in the Secret ${own.secret}, which goes with the Cluster, and the other colour has another`,
        fix,
      },
    ];
  const theirs = other && ownerSecret(other.cluster);
  if (theirs === undefined || (theirs.owner === own.owner && theirs.secret === own.secret)) return [];
  return [
    {
      name: 'app-secret',
      seen:
        `the operator sets the password of ${own.owner} from the Secret ${own.secret} here, ` +
        `and on the other colour that of ${theirs.owner} from ${theirs.secret}`,
      fix,
    },
  ];
}
