import type { Environment } from '../../../model/environment.ts';
import { refusals, type Finding } from '../../../model/finding.ts';
import { rows, type Client } from '../../../postgres/client.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { closedTo } from '../../../postgres/hba.ts';
import { preflight, releaseNeeds, type PreflightFacts } from '../../../postgres/preflight/index.ts';
import { checkLimits } from '../../../postgres/preflight/limits.ts';
import { passwordFits } from '../../../postgres/verifier.ts';
import type { Stored } from '../cluster.ts';
import type { KubernetesParts } from '../parts.ts';
import { secretValue } from '../secrets.ts';
import { wrongPassword } from '../../../model/failures.ts';

export type DeclaredAdoption = NonNullable<Environment['kubernetes']['adopt']>;

/** What keeps a server from being adopted. */
export type Problem = Pick<Finding, 'title' | 'reason' | 'fix'>;

interface ServiceObject extends Stored {
  readonly spec: {
    readonly clusterIP?: string;
    readonly type?: string;
    readonly selector?: Record<string, string>;
    readonly ports?: readonly { readonly port: number }[];
  };
}

/** What a server says of itself. */
export interface ServerFacts {
  readonly super: boolean;
  readonly directory: string;
  readonly major: number;
  readonly name: string;
  readonly port: string;
  readonly present: boolean;
}

export function factProblems(
  { live, database, colours }: Environment,
  operator: string,
  facts: ServerFacts,
): Problem[] {
  const declared = colours[live]?.postgres;
  const problems: Problem[] = [];
  if (!facts.super)
    problems.push({
      title: `${operator} is not a superuser`,
      reason: 'Verdigris creates its own superuser, to fence and to replicate.',
      fix: 'Name a superuser in kubernetes.adopt.superuser.',
    });
  if (facts.major !== declared)
    problems.push({
      title: `the server is PostgreSQL ${facts.major}, colours.${live} declares ${String(declared)}`,
      reason: 'A colour is declared as it is.',
      fix: `Declare colours.${live}.postgres: ${facts.major}.`,
    });
  if (facts.name.endsWith('-green'))
    problems.push({
      title: `cluster_name is ${facts.name}`,
      reason: 'Colours are recognised by it, and an adopted one is blue.',
      fix: 'Remove the ending -green, and restart the server at a time of your choice.',
    });
  if (!facts.present)
    problems.push({
      title: `the database ${database} is not there`,
      reason: 'An environment is one database.',
      fix: 'Name the existing database.',
    });
  return problems;
}

/**
 * Each declared role's own password, held against what the server keeps of it: the poolers will need it. A log-in would
 * prove nothing here, since most servers trust whoever comes from their own pod, as a port-forward does.
 */
export async function passwordProblems(
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
    throw wrongPassword(
      `The password of ${superuser.user} in ${superuser.passwordFrom ?? 'its Secret'} is not the one that ${adopt?.statefulSet ?? 'the server'} has.`,
      'the password of a superuser.',
      'put the right one into the Secret, or name another',
    );
  }
  const problems: Problem[] = [];
  for (const role of [...roles.application, ...roles.readers]) {
    const declared = passwords[role];
    if (!declared)
      problems.push({
        title: `the password of the role ${role} is unknown`,
        reason: 'The poolers log in with the roles of the clients.',
        fix: `Declare kubernetes.passwords.${role}: { secret, key } with the Secret that its software uses.`,
      });
    else if (!fits(role, await secretValue(cluster, declared.secret, declared.key)))
      problems.push({
        title: `the role ${role} cannot log in with the password in the Secret ${declared.secret}, key ${declared.key}`,
        reason: 'The poolers log in with the roles of the clients.',
        fix: "Put the role's password there, or name the Secret that its software uses.",
      });
  }
  return problems;
}

export async function serviceProblems({ cluster }: KubernetesParts, { service }: DeclaredAdoption): Promise<Problem[]> {
  if (!service) return [];
  const found = await cluster.read<ServiceObject>('Service', service.name);
  if (!found)
    return [
      {
        title: `the Service ${cluster.namespace}/${service.name} is not there`,
        reason: 'It will lead to the live colour from now on.',
        fix: 'Name the Service that clients use, or leave kubernetes.adopt.service out.',
      },
    ];
  if (found.spec.clusterIP === 'None' || found.spec.type === 'ExternalName')
    return [
      {
        title: `the Service ${service.name} has no address of its own`,
        reason: 'Clients of a headless Service keep the address of the pod.',
        fix: "Have clients use a Service with an address, or the environment's own; leave kubernetes.adopt.service out.",
      },
    ];
  if (found.spec.ports?.length !== 1)
    return [
      {
        title: `the Service ${service.name} has several ports`,
        reason: "Only one of them can be PostgreSQL's.",
        fix: 'Give PostgreSQL a Service of its own.',
      },
    ];
  return [];
}

/** What any release would be refused for, settings first among them, with the statement that fixes it. */
export async function serverProblems(
  { name, live, roles, limits, colours }: Environment,
  client: Client,
  operator: string,
): Promise<Problem[]> {
  const facts: PreflightFacts = {
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
  };
  const found = await preflight(client, facts, (use) => use(client));
  return [...refusals(found), ...(await closedTo(client))];
}
