import { randomBytes, randomUUID } from 'node:crypto';
import { networkPolicies } from '../../../manifests/network.ts';
import { operatorSecret, roleSecret } from '../../../manifests/secrets.ts';
import type { Environment } from '../../../model/environment.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { newJournal } from '../../../model/journal.ts';
import { serializeJournal } from '../../../model/journal-text.ts';
import { omit } from '../../../model/omit.ts';
import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { forgetTokens } from '../../../postgres/token.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { turnLock } from '../../../postgres/hba-lock.ts';
import { parkedPosition } from '../../../postgres/position.ts';
import { promoteServer } from '../../../postgres/promote.ts';
import { setLogins } from '../../../postgres/logins.ts';
import type { PlatformClone } from '../../port/platform.ts';
import { CloneMarks } from './clone-marks.ts';
import { makePooler } from './make-poolers.ts';
import type { KubernetesParts } from '../parts.ts';
import { plainKinds, removeKubernetes } from './remove.ts';
import { randomPassword } from '../secrets.ts';
import { takeSnapshot } from '../storage.ts';
import { connectionIn } from '../../connection-in.ts';

/** Its roles connect through the clone's own pooler. */
export interface KubernetesClone extends PlatformClone {
  readonly platform: KubernetesParts;
}

/** In the clone, the snapshot of the original that its first volume is made of. */
const seedSnapshot = 'clone';

/**
 * A throw-away environment in the same namespace, whose live colour is a copy of another's, taken now by an atomic
 * snapshot. What a killed maker left of an earlier one is found by its mark and removed first; those of others that
 * live are left alone.
 */
export async function cloneKubernetes(
  environment: Environment,
  original: KubernetesParts,
  signal: AbortSignal,
): Promise<KubernetesClone> {
  const { live, database, roles } = environment;
  const marks = new CloneMarks(original.cluster, environment);
  await removeClones(environment, original, await marks.abandoned());
  const name = `drill-${randomBytes(6).toString('hex')}`;
  const copy = throwAway(environment, name);
  const platform = original.sibling(copy);
  const { cluster } = platform;
  const kept = await marks.make(name);
  const remove = () => removeKubernetes(copy, platform, plainKinds).then(() => kept.remove());
  const end = async (): Promise<void> => {
    try {
      await remove();
    } finally {
      kept.release();
      await platform.close();
    }
  };
  try {
    if (environment.kubernetes.snapshots === 'backup')
      throw new VerdigrisError('clone-needs-atomic', {
        seen: 'Snapshots of this driver are not of one instant (kubernetes.snapshots: backup).',
        required: 'atomic snapshots, for a clone.',
        next: 'drill on an environment whose driver takes them; nothing was changed.',
      });
    const source = await original.servers.sourceOf(live);
    await withOwnSession(await original.servers.connection(live), 'drill', (client) => client.query('CHECKPOINT'));
    await takeSnapshot(cluster, copy, source, seedSnapshot, environment.limits.snapshot);
    // The copy's own role has the original's password until it is thrown away.
    await cluster.create(
      operatorSecret(copy, {
        operator: await original.secrets.operator(),
        replication: randomPassword(),
        console: randomPassword(),
      }),
    );
    const passwords: Record<string, string> = {};
    for (const role of [...roles.application, ...roles.readers]) {
      passwords[role] = randomPassword();
      await cluster.create(roleSecret(copy, role, { login: role, password: passwords[role] }));
    }
    for (const policy of networkPolicies(copy)) await cluster.apply(policy);
    await platform.servers.restore(live, seedSnapshot, { generation: 1, consume: true, onBytes: () => undefined });
    await withOwnSession(await connectionIn(platform.servers, live, database), 'drill', async (client) => {
      await parkedPosition(client, environment.limits.catchUp, signal);
      await promoteServer(client, signal);
      await cleanCopy(client);
      await forgetTokens(client);
      for (const [role, password] of Object.entries(passwords))
        await setLogins(client, role, { login: role, password }, undefined);
      await turnLock(client, 'open');
    });
    await platform.servers.unpark(live);
    await platform.servers.removeSnapshot(seedSnapshot);
    await platform.routes.establish({ live, canary: 0, token: 0 });
    await makePooler(copy, platform, passwords, undefined);
    await platform.journal.write(
      0,
      serializeJournal(newJournal(name, live, environment.colours[live]?.release ?? '', randomUUID())),
    );
    const [replica] = await platform.poolers.required();
    if (!replica) throw new Error('there is at least one replica');
    const as = (user: string): ConnectionSettings => ({
      ...replica.address,
      user,
      password: passwords[user] ?? '',
      database,
    });
    return { environment: copy, platform, as, destroy: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Removes throw-away environments of `environment`, whoever made them. */
export async function removeClones(
  environment: Environment,
  original: KubernetesParts,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const copy = throwAway(environment, name);
    const platform = original.sibling(copy);
    try {
      await removeKubernetes(copy, platform, plainKinds);
    } finally {
      await platform.close();
    }
    await new CloneMarks(original.cluster, environment).remove(name);
  }
}

/**
 * One pooler, nobody who watches over it, no schedule and no tests of its own; no certificate either, since none is for
 * its name.
 */
function throwAway(environment: Environment, name: string): Environment {
  const { images, drill, metrics, pooler, ...kubernetes } = omit(environment.kubernetes, 'adopt', 'from', 'tls');
  const colours = Object.fromEntries(
    Object.entries(environment.colours).map(([colour, declared]) => [colour, omit(declared, 'test')]),
  );
  return {
    ...environment,
    name,
    canary: 0,
    colours,
    kubernetes: {
      ...kubernetes,
      images: omit(images, 'verdigris'),
      drill: omit(drill, 'schedule'),
      metrics: { ...metrics, enabled: false },
      pooler: { ...pooler, replicas: 1 },
    },
  };
}
