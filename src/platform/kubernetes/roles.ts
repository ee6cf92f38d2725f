import { objectNames } from '../../manifests/names.ts';
import { listedPassword, userListKey } from '../../manifests/pooler-users.ts';
import { roleSecret } from '../../manifests/secrets.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import { everyLogin, loginsOf, type LoginSecret } from '../../model/logins.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { ident } from '../../postgres/quote.ts';
import { readersOf } from '../../postgres/readers.ts';
import { quietly } from '../../postgres/secretly.ts';
import { passwordClause, passwordFits } from '../../postgres/verifier.ts';
import { grant } from '../fill.ts';
import type { Cluster } from './cluster.ts';
import type { KubernetesParts } from './parts.ts';
import { randomPassword, secretValue, secretValues } from './secrets.ts';
import { wrongPassword } from '../../model/failures.ts';
import { connectionIn } from '../connection-in.ts';

/**
 * Makes the roles that were declared after the environment was made: Secret, role, rights, on the live colour, of which
 * the next candidate is a copy. Under the lease. A password that a role has already is never changed: somebody may be
 * using it.
 * @throws VerdigrisError `role-in-release` where a candidate or a retained colour would lack the role;
 * `wrong-password`; `secret-differs`.
 */
export async function addRoles(
  environment: Environment,
  platform: KubernetesParts,
  journal: Journal,
): Promise<string[]> {
  const { roles, database } = environment;
  const declared = [...roles.application, ...roles.readers];
  const connection = await connectionIn(platform.servers, journal.live, database);
  return withOwnSession(connection, 'roles', async (client) => {
    // Whoever only looks asks by them; a server that was adopted, or made by an earlier version, may have none yet.
    await readersOf(client, connection);
    const kept = await rows<{ name: string; verifier: string | null }>(
      client,
      'SELECT rolname AS name, rolpassword AS verifier FROM pg_authid WHERE rolname = ANY($1)',
      [everyLogin(declared)],
    );
    const verifierOf = (login: string): string | undefined =>
      kept.find(({ name }) => name === login)?.verifier ?? undefined;
    const rotated = (role: string): boolean => loginsOf(role).some((login) => verifierOf(login) !== undefined);
    const lacking = declared.filter((role) => !rotated(role));
    if (lacking.length > 0 && journal.state !== 'single') throw inRelease(lacking, journal);
    for (const role of declared)
      await keepSecret(environment, platform, role, lacking.includes(role) ? undefined : verifierOf);
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

/**
 * A role's own Secret: made where the role is new, and given what a Secret of kubernetes.passwords has by now. What a
 * Secret says must be what the server keeps: the poolers would be given a password that nobody is let in with.
 */
async function keepSecret(
  environment: Environment,
  { cluster, secrets, credentials }: KubernetesParts,
  role: string,
  verifierOf: ((login: string) => string | undefined) | undefined,
): Promise<void> {
  const from = environment.kubernetes.passwords[role];
  const name = objectNames.roleSecret(environment.name, role);
  const given = from && (await secretValue(cluster, from.secret, from.key));
  const { login, password: own } = (await cluster.read('Secret', name))
    ? await secrets.login(role)
    : { login: role, password: undefined };
  if (own === undefined && given === undefined && verifierOf !== undefined) {
    const rotated = (await credentials.read(role).catch(() => undefined))?.current;
    const known = rotated ?? (await knownToPoolers(environment, cluster, role, verifierOf));
    if (known) await cluster.create(roleSecret(environment, role, known));
    secrets.forget(name);
    return;
  }
  const wanted = given ?? own;
  if (verifierOf === undefined) {
    await cluster.create(roleSecret(environment, role, { login: role, password: given ?? randomPassword() }));
    return;
  }
  if (wanted === undefined) return;
  if (!passwordFits(verifierOf(login) ?? null, login, wanted))
    throw own === undefined
      ? wrong(role, from?.secret ?? name)
      : differs(role, from?.secret ?? name, from !== undefined);
  if (own === wanted) return;
  await cluster.apply(roleSecret(environment, role, { login, password: wanted }));
  secrets.forget(name);
}

/** Somebody deleted the role's Secret: what the poolers were given and the server takes. */
async function knownToPoolers(
  { name }: Environment,
  cluster: Cluster,
  role: string,
  verifierOf: (login: string) => string | undefined,
): Promise<LoginSecret | undefined> {
  const list = (await secretValues(cluster, objectNames.pooler(name)))?.[userListKey] ?? '';
  return loginsOf(role)
    .map((login) => ({ login, password: listedPassword(list, login) ?? '' }))
    .find(({ login, password }) => passwordFits(verifierOf(login) ?? null, login, password));
}

async function make(
  client: Client,
  role: string,
  present: boolean,
  password: string,
  roles: Environment['roles'],
): Promise<void> {
  // Together: cut short, it is as if nothing had been done.
  await quietly(client, async () => {
    await client.query(`${present ? 'ALTER' : 'CREATE'} ROLE ${ident(role)} LOGIN ${passwordClause(password)}`);
    await grant(client, roles);
  });
}

function inRelease(roles: readonly string[], { state }: Journal): VerdigrisError {
  const one = roles.length === 1;
  return new VerdigrisError('role-in-release', {
    seen: `${roles.join(', ')} ${one ? 'is' : 'are'} declared and not there, and a release is under way (${state}).`,
    required: 'new roles between releases: the other colour would lack them.',
    next:
      `take ${one ? 'it' : 'them'} out of the declaration until the release is retired or abandoned, then ` +
      `declare ${one ? 'it' : 'them'} again.`,
  });
}

function wrong(role: string, secret: string): VerdigrisError {
  return wrongPassword(
    `The role ${role} is there already, with another password than the Secret ${secret} has.`,
    "the role's own password: the poolers log in with it, and a password that may be in use is not changed.",
    'put the right one into the Secret',
  );
}

/** `given`: the Secret is where somebody else keeps the password, as the declaration says. */
function differs(role: string, secret: string, given: boolean): VerdigrisError {
  const follow = given
    ? `run \`verdigris rotate ${role}\`: it takes what the Secret says, and the present password keeps working for a ` +
      'grace period'
    : `put the role's password back into the Secret, and run \`verdigris rotate ${role}\` for another one; or ` +
      `change it in both: \`ALTER ROLE ${ident(role)} PASSWORD …\` on the live colour with what the Secret says`;
  return new VerdigrisError('secret-differs', {
    seen: `The Secret ${secret} has another password than the role ${role} on the live colour.`,
    required: 'the same in both: clients read the Secret, and the poolers are given what it says.',
    next:
      `${follow}; then run the same command. Nothing was changed; the poolers keep the password that ` + 'they have.',
    facts: { role, secret },
  });
}
