import { fixedManifests } from '../../../manifests/fixed.ts';
import { newCredentials } from '../../../model/credential-record.ts';
import type { Environment } from '../../../model/environment.ts';
import type { Emit } from '../../../model/events.ts';
import { newJournal } from '../../../model/journal.ts';
import { serializeJournal } from '../../../model/journal-text.ts';
import { fillServer } from '../../fill.ts';
import type { CreateOptions } from '../../port/lifecycle.ts';
import type { KubernetesParts } from '../parts.ts';
import { examine, takeOverAdopted } from './adopt.ts';
import { refuseRemains, requireCluster, requireUnborn } from './create-checks.ts';
import { makeSecrets } from './first-secrets.ts';
import { makePooler } from './make-poolers.ts';
import { openProvisioned as opened, provision } from './provision.ts';
import { examineOrigin } from './origin.ts';

export interface CreateKubernetesOptions extends CreateOptions {
  /** False where a Pulumi program declares what is fixed. */
  readonly fixed?: boolean;
  /** Told what begins. */
  readonly emit?: Emit;
}

/**
 * Makes an environment, its first colour from nothing or adopted: Secrets, database, roles, pooler, routes, and last
 * the journal, whose presence says that all the rest is there. Cut short, it is repeated. Says by `created` whether
 * there was anything to make.
 */
export async function createKubernetes(
  environment: Environment,
  platform: KubernetesParts,
  options: CreateKubernetesOptions,
): Promise<{ created: boolean }> {
  const journal = await platform.journal.read().catch(async (error: unknown) => {
    // Where not even this may be read, everything that is missing is said.
    await requireCluster(platform);
    throw error;
  });
  if (journal) {
    await platform.creation.end();
    return { created: false };
  }
  const { live, name } = environment;
  const declared = environment.colours[live];
  if (!declared) throw new Error('a parsed declaration has its live colour');
  await requireCluster(platform);
  await refuseRemains(platform);
  const { cluster } = platform;
  const { adopt, from } = environment.kubernetes;
  const existing = adopt && (await examine(environment, platform, adopt));
  const original = from && (await examineOrigin(environment, platform, from));
  if (options.emit) platform.listen(options.emit);
  const say = (text: string): void => options.emit?.({ type: 'note', text: `create: ${text} …` });
  const uid = await platform.creation.begin();
  say('make the Secrets');
  const credentials = await makeSecrets(environment, platform);
  for (const manifest of options.fixed === false ? [] : fixedManifests(environment)) await cluster.apply(manifest);
  if (existing) {
    say(`take over StatefulSet ${existing.adopted.statefulSet} as ${live}`);
    await takeOverAdopted(platform, existing);
  } else if (from && original) {
    say(`make ${live} of a copy, with its volume`);
    await provision(environment, platform, from, original);
    await fillServer(environment, platform.servers, credentials, options.fill);
    await opened(environment, platform);
  } else {
    say(`make the server of ${live} and its volume`);
    await platform.servers.initialize(live, declared.postgres, 1, declared.release);
    await requireUnborn(environment, platform);
    await fillServer(environment, platform.servers, credentials, options.fill);
  }
  say('make the routes and the poolers');
  await platform.routes.establish({ live, canary: 0, token: 0 });
  await makePooler(environment, platform, credentials, options.raw);
  if (adopt?.service) await platform.routes.attach(adopt.service, { live, canary: 0, token: 0 });
  const made = newCredentials(environment, await platform.credentials.own.names());
  await platform.journal.write(
    0,
    serializeJournal({ ...newJournal(name, live, declared.release, uid), credentials: made }),
  );
  await platform.certify(uid);
  await platform.creation.end();
  return { created: true };
}
