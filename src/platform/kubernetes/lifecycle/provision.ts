import { objectNames, type Named } from '../../../manifests/names.ts';
import { dataPath } from '../../../manifests/colour.ts';
import type { SnapshotSource } from '../../../manifests/storage.ts';
import type { Environment } from '../../../model/environment.ts';
import { withMigrationRole } from '../../../migrations/engines/role.ts';
import { withOwnerSession } from '../../../migrations/owner-session.ts';
import { runShell, tail, type ShellResult } from '../../../migrations/rehearsal/shell.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import { parseJournal } from '../../../model/journal-text.ts';
import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { asLogin, rows, withFixedPath, withTransaction, type Client } from '../../../postgres/client.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { withClient, withOwnSession } from '../../../postgres/session.ts';
import { dropDatabase } from '../../../postgres/drop-database.ts';
import { maintenance, notOfInitdb } from '../../../postgres/maintenance.ts';
import { ensureControlSchema, forgetOrigin } from '../../../postgres/control.ts';
import { turnLock } from '../../../postgres/hba-lock.ts';
import { migrationOwner } from '../../../postgres/owners.ts';
import { literal } from '../../../postgres/quote.ts';
import { AdoptedServer } from '../adopted.ts';
import { KubernetesJournal } from '../journal.ts';
import type { KubernetesParts } from '../parts.ts';
import type { ServerSet } from '../sets.ts';
import { snapshotContent, takeSnapshot } from '../storage.ts';
import { connectionIn } from '../../connection-in.ts';

type From = NonNullable<Environment['kubernetes']['from']>;

/** Within the new environment, of the snapshot that its first colour is made of. */
const origin = 'origin';

/** What the first colour is to be a copy of. */
export type Origin = { readonly source: SnapshotSource } | { readonly snapshot: string };

/** Finds the original, or says what is wrong with it, before anything is made. */
export async function examineOrigin(
  environment: Environment,
  platform: KubernetesParts,
  { environment: name, snapshot }: From,
): Promise<Origin> {
  const found = name === undefined ? undefined : await sourceOf(platform, environment, name);
  const given = snapshot === undefined ? undefined : await snapshotOf(platform, snapshot);
  const { live, colours } = environment;
  const [major, declared] = [found?.major ?? given?.major, colours[live]?.postgres];
  if (major !== undefined && major !== declared)
    throw differs(
      `${name ?? `The VolumeSnapshot ${String(snapshot)}`} has PostgreSQL ${major}, colours.${live} declares ${String(declared)}`,
      `declare colours.${live}.postgres: ${major}; a release can go to a later one.`,
    );
  if (found) return { source: found };
  return { snapshot: snapshot ?? '' };
}

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

/** A VolumeSnapshot that somebody made; what it says of itself, where it was made by Verdigris. */
async function snapshotOf({ cluster }: KubernetesParts, name: string): Promise<{ major: number | undefined }> {
  const content = await snapshotContent(cluster, name);
  if (!content)
    throw differs(
      `There is no VolumeSnapshot ${cluster.namespace}/${name}`,
      'make it, or name one that is there: a snapshot serves claims of its own namespace only ' +
        '(docs/kubernetes.md says how one of another namespace comes here).',
    );
  if (!content.ready)
    throw differs(
      `The VolumeSnapshot ${cluster.namespace}/${name} is not ready to use${content.error === undefined ? '' : `: ${content.error}`}`,
      'wait until `kubectl get volumesnapshot` shows it as ready, or see `kubectl describe volumesnapshot` for what keeps it; then run the same command again.',
    );
  return content;
}

/** The live colour of another environment of the namespace, by its journal. */
async function sourceOf({ cluster }: KubernetesParts, environment: Environment, name: string): Promise<SnapshotSource> {
  if (environment.kubernetes.snapshots === 'backup')
    throw differs(
      'Snapshots of this driver are not of one instant (kubernetes.snapshots: backup)',
      'declare kubernetes.from.snapshot with a VolumeSnapshot of a server that was shut down, as a destroy leaves it.',
    );
  const named: Named = { ...environment, name };
  const stored = await new KubernetesJournal(cluster, named).read();
  if (!stored)
    throw differs(
      `There is no environment ${name} in the namespace ${cluster.namespace}`,
      'name one that is there. From another namespace: have whoever may write VolumeSnapshotContents make a ' +
        'VolumeSnapshot here of its snapshot’s handle, and declare kubernetes.from.snapshot (docs/kubernetes.md).',
    );
  const { live } = parseJournal(stored.text, stored.where);
  const set = await cluster.read<ServerSet>('StatefulSet', objectNames.colour(name, live));
  if (set) {
    const { labels = {} } = set.metadata;
    return {
      colour: environment.live,
      major: Number(labels['app.kubernetes.io/version']),
      claim: objectNames.volume(name, live, Number(labels['verdigris.dev/generation'])),
      path: dataPath,
    };
  }
  const adopted = await new AdoptedServer(named, cluster).of(live);
  if (!adopted) throw differs(`The live colour of ${name} has no StatefulSet`, 'bring it up first.');
  return { colour: environment.live, major: adopted.major, claim: adopted.claim, path: adopted.path };
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
        'declare the name that the original’s has.',
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

/** Milliseconds that a command may mask for: it rewrites a whole database, and must end all the same. */
const maskLimit = 12 * 3_600_000;

/**
 * As the owner, so that code that the copy brings along has no more rights than it had in the original. Marks it in the
 * same transaction, so that SQL runs once. A command cannot be bound to one: cut short, it runs again.
 */
async function mask(
  { database, live, roles }: Environment,
  platform: KubernetesParts,
  how: From['mask'],
): Promise<void> {
  if (how === 'none') return;
  const connection = await connectionIn(platform.servers, live, database);
  const claim = await platform.servers.claimOf(live);
  await withClient(connection, 'mask', async (operator) => {
    const owner = await withFixedPath(operator, async () => {
      const done = await rows(operator, 'SELECT FROM verdigris.mask WHERE claim = $1', [claim]);
      return done.length > 0 ? 'masked' : { name: await migrationOwner(operator, roles.owner) };
    });
    if (owner === 'masked') return;
    const target = { client: operator, connection, owner: owner.name, lockTimeout: 0, statementTimeout: 0 };
    const mark = (client: Client): Promise<unknown> =>
      client.query('INSERT INTO verdigris.mask (claim) VALUES ($1)', [claim]);
    try {
      if ('sql' in how) {
        await withOwnerSession(target, (client) =>
          withTransaction(client, async () => {
            await client.query(`SET LOCAL role = ${literal(owner.name ?? 'none')}`);
            await client.query(how.sql);
            await asLogin(client, () => mark(client));
          }),
        );
        return;
      }
      const run = (login: ConnectionSettings): Promise<ShellResult> =>
        runShell(how.command, login, { limit: maskLimit, signal: new AbortController().signal }).ended;
      const { exitCode, output, timedOut } = await (owner.name === undefined
        ? run(connection)
        : withMigrationRole(target, run));
      if (timedOut) throw new Error(`not done after ${maskLimit / 3_600_000} h`);
      if (exitCode !== 0) throw new Error(`exit code ${exitCode ?? 'none'}\n${tail(output)}`);
      await mark(operator);
    } catch (cause) {
      throw new VerdigrisError('mask-failed', {
        seen: `The masking of the copy failed: ${describe(cause)}.`,
        required: 'a mask that succeeds: nobody may connect before it has.',
        next:
          'fix kubernetes.from.mask, or declare a roles.owner that may change what it masks; the same command continues ' +
          'from here, and until then nobody can log in.',
        cause,
      });
    }
  });
}

function differs(seen: string, next: string): VerdigrisError {
  return new VerdigrisError('origin-unfit', {
    seen: `${seen}.`,
    required: 'an original that fits the declaration.',
    next,
  });
}
