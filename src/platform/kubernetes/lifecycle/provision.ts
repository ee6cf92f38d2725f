import { objectNames } from '../../../manifests/names.ts';
import type { Environment } from '../../../model/environment.ts';
import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { rows } from '../../../postgres/client.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { dropDatabase } from '../../../postgres/drop-database.ts';
import { maintenance, notOfInitdb } from '../../../postgres/maintenance.ts';
import { ensureControlSchema, forgetOrigin } from '../../../postgres/control.ts';
import { turnLock } from '../../../postgres/hba-lock.ts';
import type { KubernetesParts } from '../parts.ts';
import { takeSnapshot } from '../storage.ts';
import { differs, type From, type Origin } from './origin.ts';
import { mask } from './mask.ts';

/** Within the new environment, of the snapshot that its first colour is made of. */
const origin = 'origin';

/**
 * The first colour as a copy: restored, closed to everybody the original knew, cleaned of what belonged to the
 * original, masked. Nobody can log in to it until the caller has made the roles again. Repeated where it was cut short;
 * a mask of SQL runs once.
 */
export async function provision(
  environment: Environment,
  platform: KubernetesParts,
  from: From,
  found: Origin,
): Promise<void> {
  const { live, colours, limits } = environment;
  if ('source' in found) await takeSnapshot(platform.cluster, environment, found.source, origin, limits.snapshot);
  await platform.servers.provision(
    live,
    'snapshot' in found ? found.snapshot : objectNames.snapshot(environment.name, origin),
    1,
    colours[live]?.release ?? '',
  );
  await clean(environment, platform);
  await mask(environment, platform, from.mask);
}

/** Ordinary settings once the copy is masked and its roles are new; the snapshot is not needed any more. */
export async function openProvisioned(environment: Environment, platform: KubernetesParts): Promise<void> {
  await withOwnSession(await platform.servers.connection(environment.live), 'provision', (client) =>
    turnLock(client, 'open'),
  );
  await platform.servers.unpark(environment.live);
  await platform.servers.removeSnapshot(origin);
}

/**
 * Takes away what belonged to the original: its slots, subscriptions, markers and fences; other databases too, which no
 * mask reaches.
 */
async function clean(environment: Environment, platform: KubernetesParts): Promise<void> {
  const connection = await platform.servers.connection(environment.live);
  const others = await withOwnSession(connection, 'provision', async (client) => {
    const all = await rows<{ name: string }>(
      client,
      `SELECT datname AS name FROM pg_database WHERE ${notOfInitdb('datname')} AND datname <> '${maintenance}'`,
    );
    if (!all.some(({ name }) => name === environment.database))
      throw differs(
        `The copy has no database ${environment.database}; it has ${all.map(({ name }) => name).join(', ') || 'none'}`,
        "declare the name that the original's has.",
      );
    return all.map(({ name }) => name).filter((name) => name !== environment.database);
  });
  await withOwnSession(connection, 'provision', async (client) => {
    for (const name of others) await dropDatabase(client, name);
  });
  await withOwnSession({ ...connection, database: environment.database }, 'provision', async (client) => {
    await ensureControlSchema(client);
    await cleanCopy(client);
    await forgetOrigin(client);
  });
}
