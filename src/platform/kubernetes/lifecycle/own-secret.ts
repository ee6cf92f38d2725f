import { objectNames } from '../../../manifests/names.ts';
import { consoleUser, listedPassword, userListKey } from '../../../manifests/pooler-users.ts';
import type { Environment } from '../../../model/environment.ts';
import type { Journal } from '../../../model/journal.ts';
import { ownNames, type OwnName } from '../../../model/own-passwords.ts';
import { rows } from '../../../postgres/client.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import type { KubernetesParts } from '../parts.ts';
import { ownKeys, randomPassword, secretValues } from '../secrets.ts';
import { connectionIn } from '../../connection-in.ts';

/**
 * What of the operator's Secret somebody deleted and can be known, is put back as it was: the console's password is in
 * the poolers' Secret, that of replication in the subscription; where there is none, the next seed sets a new one. Only
 * the operator's own password nobody else here has. Says what was put back.
 */
export async function fixOwnSecret(
  { name, database }: Environment,
  { cluster, secrets, servers }: KubernetesParts,
  { stream }: Pick<Journal, 'stream'>,
): Promise<string[]> {
  const secret = objectNames.operatorSecret(name);
  const there = await secretValues(cluster, secret);
  const lacking = ownNames.filter((each) => there?.[ownKeys[each]] === undefined);
  // Without it there is no way in, and who asks for it is told how it is found.
  if (lacking.length === 0 || lacking.includes('operator')) return [];
  const known: Record<OwnName, () => Promise<string | undefined>> = {
    operator: () => Promise.resolve(undefined),
    console: async () =>
      listedPassword((await secretValues(cluster, objectNames.pooler(name)))?.[userListKey] ?? '', consoleUser),
    replication: async () =>
      stream
        ? withOwnSession(await connectionIn(servers, stream.to, database), 'roles', async (client) => {
            const [found] = await rows<{ password: string | null }>(
              client,
              "SELECT substring(subconninfo FROM 'password=(\\S+)') AS password FROM pg_subscription WHERE subname = $1",
              [stream.name],
            );
            return found?.password ?? undefined;
          })
        : undefined,
  };
  const found = await Promise.all(
    lacking.map(async (each) => [ownKeys[each], (await known[each]()) ?? randomPassword()] as const),
  );
  await cluster.merge('Secret', secret, { stringData: Object.fromEntries(found) });
  secrets.forget(secret);
  return lacking.map((each) => `the key ${ownKeys[each]} of Secret ${secret} was missing`);
}
