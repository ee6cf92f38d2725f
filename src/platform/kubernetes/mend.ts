import { other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import { makePooler } from './create.ts';
import { claimsOf, drift, generationOf } from './drift.ts';
import type { KubernetesPlatform } from './platform.ts';

/**
 * Puts right what stands outside a release: colours, routes and poolers as the journal and the declaration say. Under the lease,
 * with nothing under way. Returns what was found to be otherwise. Never makes a volume: an empty one in place of a lost one would
 * be taken for the data.
 */
export async function mendKubernetes(environment: Environment, platform: KubernetesPlatform, journal: Journal, raw: unknown): Promise<string[]> {
  const found = await drift(environment, platform, journal);
  if (found.length > 0) {
    for (const colour of journal.state === 'single' ? [journal.live] : [journal.live, other(journal.live)]) await mendColour(environment, platform, journal, colour);
    const route = { live: journal.live, canary: journal.state === 'canary' ? (journal.release?.canary ?? 0) : 0, token: journal.token };
    await platform.routes.establish(route);
    await platform.routes.move(route);
  }
  await makePooler(environment, platform, await credentials(environment, platform), raw);
  return found;
}

async function credentials({ roles }: Environment, { secrets }: KubernetesPlatform): Promise<Record<string, string>> {
  return Object.fromEntries(await Promise.all([...roles.application, ...roles.readers].map(async (role) => [role, await secrets.role(role)] as const)));
}

async function mendColour(environment: Environment, platform: KubernetesPlatform, journal: Journal, colour: Colour): Promise<void> {
  if (await platform.servers.observe(colour)) {
    if (colour === journal.live) await platform.servers.start(colour);
    return;
  }
  const [claim] = (await claimsOf(platform, environment, colour)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const declared = environment.colours[colour];
  if (!claim || !declared) {
    // A candidate or retained colour that is gone is for the gates to say: abandon and retire work without it.
    if (colour !== journal.live) return;
    throw new VerdigrisError('failed', 'live-volume-gone', {
      seen: `${colour} is live, and neither its StatefulSet nor a PersistentVolumeClaim of it is in the namespace ${environment.kubernetes.namespace}.`,
      required: 'the volume of the live colour.',
      next: 'nothing was made in its place. Restore a PersistentVolumeClaim from a snapshot under its old name and labels (docs/kubernetes.md), then run the same command.',
    });
  }
  const release = colour === journal.live ? journal.liveRelease : journal.state === 'switched' ? journal.release?.from : journal.release?.to;
  await platform.servers.revive(colour, generationOf(claim), declared.postgres, release ?? declared.release);
}
