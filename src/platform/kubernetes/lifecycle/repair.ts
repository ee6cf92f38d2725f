import { other, type Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import type { Journal } from '../../../model/journal.ts';
import { waitFor } from '../../../model/wait.ts';
import { withPooledSession } from '../../../postgres/session.ts';
import { colourService } from '../../../manifests/colour.ts';
import { roleSecret } from '../../../manifests/secrets.ts';
import { makePooler } from './make-poolers.ts';
import { claimsOf, drift, generationOf } from './drift.ts';
import type { KubernetesParts } from '../parts.ts';
import { addRoles } from '../roles.ts';

/**
 * Corrects what is outside a release: colours, routes, roles and poolers as the journal and the declaration say.
 * Under the lease, with nothing under way. Returns what was found to be otherwise. Never makes a volume: an empty one
 * in place of a lost one would be taken for the data.
 */
export async function repairKubernetes(
  environment: Environment,
  platform: KubernetesParts,
  journal: Journal,
  raw: unknown,
): Promise<string[]> {
  const found = await drift(environment, platform, journal);
  if (found.length > 0) {
    for (const colour of journal.state === 'single' ? [journal.live] : [journal.live, other(journal.live)])
      await repairColour(environment, platform, journal, colour);
    const route = {
      live: journal.live,
      canary: journal.state === 'canary' ? (journal.release?.canary ?? 0) : 0,
      token: journal.token,
    };
    await platform.routes.establish(route);
    await platform.routes.move(route);
  }
  const added = await addRoles(environment, platform, journal);
  await tellOfTls(environment, platform);
  await makePooler(environment, platform, await platform.credentials.admitted(), raw);
  for (const role of [...environment.roles.application, ...environment.roles.readers])
    await admitted(environment, platform, role, added.includes(role));
  return [...found, ...added.map((role) => `the role ${role} is declared and was not there`)];
}

/** Secrets that were made before TLS was declared do not say it to the clients that read them. */
async function tellOfTls(environment: Environment, { cluster, secrets }: KubernetesParts): Promise<void> {
  if (!environment.kubernetes.tls) return;
  for (const role of [...environment.roles.application, ...environment.roles.readers])
    await cluster.apply(roleSecret(environment, role, await secrets.login(role)));
}

/**
 * Until every pooler lets a role in with what its Secret says: a Secret that changed reaches a pod within a minute or
 * two, and PgBouncer looks at it when it is told to. One that is not new is waited for only where its password is what
 * the pooler refuses: it may be locked out on purpose.
 */
async function admitted(
  { database }: Environment,
  { poolers }: KubernetesParts,
  role: string,
  isNew: boolean,
): Promise<void> {
  for (const replica of await poolers.required()) {
    const client = await poolers.client(replica, role, database);
    let last: unknown;
    await waitFor(
      async () => {
        if (last !== undefined || isNew) await poolers.say(replica, 'RELOAD');
        return withPooledSession(client, 'roles', () => Promise.resolve(true)).catch((error: unknown) => {
          last = error;
          return isNew || /authentication failed/.test(describe(error)) ? undefined : true;
        });
      },
      {
        limit: 300_000,
        every: 200,
        slowest: 2_000,
        what: `the role ${role} let in by the pooler ${replica.pod}`,
        next: 'see its log; the same command continues from here.',
      },
      () => describe(last),
    );
  }
}

async function repairColour(
  environment: Environment,
  platform: KubernetesParts,
  journal: Journal,
  colour: Colour,
): Promise<void> {
  if (await platform.servers.observe(colour)) {
    if (!(await platform.adoption.of(colour))) await platform.cluster.apply(colourService(environment, colour));
    if (colour !== journal.live) return;
    if ((await platform.servers.claimOf(colour)) === undefined) throw volumeGone(environment, colour);
    await platform.servers.start(colour);
    return;
  }
  const [claim] = (await claimsOf(platform, environment, colour)).filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
  const declared = environment.colours[colour];
  if (!claim || !declared) {
    // A candidate or retained colour that is gone is for the gates to say: abandon and retire work without it.
    if (colour !== journal.live) return;
    throw volumeGone(environment, colour);
  }
  const release =
    colour === journal.live
      ? journal.liveRelease
      : journal.state === 'switched'
        ? journal.release?.from
        : journal.release?.to;
  await platform.servers.revive(colour, generationOf(claim), declared.postgres, release ?? declared.release);
}

function volumeGone({ kubernetes: { namespace } }: Environment, colour: Colour): VerdigrisError {
  return new VerdigrisError('live-volume-gone', {
    seen: `${colour} is live, and the PersistentVolumeClaim with its data is not in the namespace ${namespace}.`,
    required: 'the volume of the live colour.',
    next:
      'nothing was made in its place. Restore a PersistentVolumeClaim from a snapshot under its old name and ' +
      'labels (docs/kubernetes.md), then run the same command.',
  });
}
