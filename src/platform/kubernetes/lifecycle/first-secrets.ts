import { operatorSecret, roleSecret } from '../../../manifests/secrets.ts';
import type { Environment } from '../../../model/environment.ts';
import type { KubernetesParts } from '../parts.ts';
import { randomPassword, secretValue } from '../secrets.ts';

/** Passwords are made once: a Secret that is there keeps its own. */
export async function makeSecrets(
  environment: Environment,
  { cluster, secrets }: KubernetesParts,
): Promise<Record<string, string>> {
  await cluster.create(
    operatorSecret(environment, {
      operator: randomPassword(),
      replication: randomPassword(),
      console: randomPassword(),
    }),
  );
  const credentials: Record<string, string> = {};
  for (const role of [...environment.roles.application, ...environment.roles.readers]) {
    const given = environment.kubernetes.passwords[role];
    await cluster.create(
      roleSecret(environment, role, {
        login: role,
        password: given ? await secretValue(cluster, given.secret, given.key) : randomPassword(),
      }),
    );
    credentials[role] = await secrets.role(role);
  }
  return credentials;
}
