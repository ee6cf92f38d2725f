import { objectNames } from '../../manifests/names.ts';
import { roleSecret } from '../../manifests/secrets.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import { rows, withOwnSession, withTransaction, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import { passwordClause, passwordFits } from '../../postgres/verifier.ts';
import { grant } from '../fill.ts';
import type { KubernetesPlatform } from './platform.ts';
import { randomPassword, secretValue } from './secrets.ts';

/**
 * Makes the roles that were declared after the environment was made: Secret, role, rights, on the live colour, of which the next
 * candidate is a copy. Under the lease. A password that a role has already is never changed: somebody may be using it.
 * @throws VerdigrisError `role-in-release` where a candidate or a retained colour would lack the role; `wrong-password`.
 */
export async function addRoles(
  environment: Environment,
  platform: KubernetesPlatform,
  journal: Journal,
): Promise<string[]> {
  const {
    roles,
    database,
    kubernetes: { passwords },
  } = environment;
  const { cluster } = platform;
  const declared = [...roles.application, ...roles.readers];
  return withOwnSession({ ...(await platform.servers.connection(journal.live)), database }, 'roles', async (client) => {
    const kept = await rows<{ name: string; verifier: string | null }>(
      client,
      'SELECT rolname AS name, rolpassword AS verifier FROM pg_authid WHERE rolname = ANY($1)',
      [declared],
    );
    const verifierOf = (role: string): string | undefined =>
      kept.find(({ name }) => name === role)?.verifier ?? undefined;
    const lacking = declared.filter((role) => verifierOf(role) === undefined);
    if (lacking.length > 0 && journal.state !== 'single') throw inRelease(lacking, journal);
    for (const role of declared) {
      const given = passwords[role] && (await secretValue(cluster, passwords[role].secret, passwords[role].key));
      const verifier = verifierOf(role);
      if (given === undefined && verifier !== undefined) continue;
      // A password that came from a Secret of its own goes on being the one that was taken over at first.
      if (
        given !== undefined &&
        verifier !== undefined &&
        (await cluster.read('Secret', objectNames.roleSecret(environment.name, role)))
      )
        continue;
      if (given !== undefined && verifier !== undefined && !passwordFits(verifier, role, given))
        throw wrong(role, passwords[role]?.secret ?? '');
      await cluster.create(roleSecret(environment, role, given ?? randomPassword()));
    }
    for (const role of lacking)
      await make(
        client,
        role,
        kept.some(({ name }) => name === role),
        await platform.secrets.role(role),
        {
          application: roles.application.filter((each) => each === role),
          readers: roles.readers.filter((each) => each === role),
        },
      );
    return lacking;
  });
}

async function make(
  client: Client,
  role: string,
  present: boolean,
  password: string,
  roles: Environment['roles'],
): Promise<void> {
  // Together: cut short, it is as if nothing had been done.
  await withTransaction(client, async () => {
    await client.query(`${present ? 'ALTER' : 'CREATE'} ROLE ${ident(role)} LOGIN ${passwordClause(password)}`);
    await grant(client, roles);
  });
}

function inRelease(roles: readonly string[], { state }: Journal): VerdigrisError {
  const one = roles.length === 1;
  return new VerdigrisError('role-in-release', {
    seen: `${roles.join(', ')} ${one ? 'is' : 'are'} declared and not there, and a release is under way (${state}).`,
    required: 'new roles between releases: the other colour would lack them.',
    next: `take ${one ? 'it' : 'them'} out of the declaration until the release is retired or abandoned, then declare ${one ? 'it' : 'them'} again.`,
  });
}

function wrong(role: string, secret: string): VerdigrisError {
  return new VerdigrisError('wrong-password', {
    seen: `The role ${role} is there already, with another password than the Secret ${secret} has.`,
    required: 'the role’s own password: the poolers log in with it, and a password that may be in use is not changed.',
    next: 'put the right one into the Secret; nothing was changed.',
  });
}
