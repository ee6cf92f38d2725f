import { journalLost, strangers } from '../../../model/birth.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { findingLine, refusals, refuses, type Finding } from '../../../model/finding.ts';
import { indented } from '../../../model/indented.ts';
import { rows } from '../../../postgres/client.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { readEnvironment } from '../../../postgres/token.ts';
import { lastingSnapshots } from '../identity.ts';
import type { KubernetesParts } from '../parts.ts';

/** Before anything is made: everything that is missing, at once. Reads only. */
export async function requireCluster(platform: KubernetesParts): Promise<void> {
  const { cluster } = platform;
  const findings = await platform.requirements('making');
  if (refuses(findings)) throw clusterUnfit(refusals(findings));
  for (const each of findings) cluster.tell(`${each.grade}: ${findingLine(each)}. ${each.fix}`);
  if (await cluster.read('Namespace', cluster.namespace)) return;
  throw new VerdigrisError('no-namespace', {
    seen: `The cluster has no namespace ${cluster.namespace}.`,
    required: 'an existing namespace: its owner and quotas are not for Verdigris to decide.',
    next: `run \`kubectl create namespace ${cluster.namespace}\`, or declare kubernetes.namespace.`,
  });
}

export function clusterUnfit(findings: readonly Finding[]): VerdigrisError {
  const lacking = findings.map((finding) => `${findingLine(finding, Infinity)}. ${finding.fix}`);
  return new VerdigrisError('cluster-unfit', {
    seen: `The cluster lacks what an environment needs:\n${indented(lacking)}`,
    required: 'all of it before anything is made.',
    next: 'fix what is listed; nothing was changed.',
    facts: { findings },
  });
}

/**
 * Servers or volumes without a journal are an environment that lost it, unless a creation was cut short: that one has
 * made nothing but a first life.
 */
export async function refuseRemains(platform: KubernetesParts): Promise<void> {
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
export async function requireUnborn({ live, database }: Environment, platform: KubernetesParts): Promise<void> {
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
