import { rows, type Client } from '../client.ts';
import { unreadable } from '../globals/read.ts';
import { ident, literal } from '../quote.ts';
import { isSuperuser } from '../superuser.ts';
import { foreignRole, globalFinding, type GlobalFinding } from './globals-finding.ts';
import { membershipDifferences } from './globals-memberships.ts';
import { SecretStatement } from './secret.ts';

interface Role {
  readonly name: string;
  readonly superuser: boolean;
  readonly inherit: boolean;
  readonly createRole: boolean;
  readonly createDb: boolean;
  readonly login: boolean;
  readonly replication: boolean;
  readonly bypassRls: boolean;
  readonly connections: number;
  /** In UTC, `infinity` where it does not end. */
  readonly validUntil: string;
  /** SHA-256 of the stored verifier: enough to compare. */
  readonly password: string | null;
}

/** Roles, passwords and memberships. */
export async function roleDifferences(
  live: Client,
  candidate: Client,
  fenced: ReadonlySet<string>,
  kept: readonly string[],
): Promise<GlobalFinding[]> {
  const byRights = !((await isSuperuser(live)) && (await isSuperuser(candidate)));
  const unread = [...(await unreadable(live)), ...(await unreadable(candidate))].includes('password');
  const read = async (client: Client) =>
    (await readRoles(client, unread)).filter(({ superuser }) => !(byRights && superuser));
  const [left, right] = [await read(live), await read(candidate)];
  const there = new Map(right.map((role) => [role.name, role]));
  const here = new Set(left.map((role) => role.name));
  const expected = left.map((role) =>
    fenced.has(role.name) ? { ...role, login: there.get(role.name)?.login ?? false } : role,
  );
  const missing = expected.filter((role) => !there.has(role.name));
  const changed = expected.flatMap((role) => {
    const twin = there.get(role.name);
    const options = twin ? attributes(role).filter((option, index) => option !== attributes(twin)[index]) : [];
    return options.length > 0
      ? [
          {
            object: role.name,
            statements: [new SecretStatement(`ALTER ROLE ${ident(role.name)} ${options.join(' ')}`)],
          },
        ]
      : [];
  });
  const verifiers = await readVerifiers(
    live,
    expected.filter((role) => role.password !== (there.get(role.name)?.password ?? null)).map(({ name }) => name),
  );
  const password = (name: string) => {
    const verifier = verifiers.get(name) ?? null;
    return verifier === null
      ? new SecretStatement(`ALTER ROLE ${ident(name)} PASSWORD NULL`)
      : new SecretStatement(
          `ALTER ROLE ${ident(name)} PASSWORD ${literal(verifier)}`,
          `ALTER ROLE ${ident(name)} PASSWORD (the live side's verifier, not shown)`,
        );
  };
  return [
    ...globalFinding(
      'role-missing',
      missing.length === 1 ? 'role is missing on the candidate' : 'roles are missing on the candidate',
      'Software that connects as this role, or objects that belong to it, fail after the switchover.',
      missing.map((role) => ({
        object: role.name,
        statements: [
          new SecretStatement(`CREATE ROLE ${ident(role.name)} ${attributes(role).join(' ')}`),
          ...(role.password === null ? [] : [password(role.name)]),
        ],
      })),
    ),
    ...globalFinding(
      'role-extra',
      right.filter(({ name }) => !here.has(name)).length === 1
        ? 'role is only on the candidate'
        : 'roles are only on the candidate',
      'It was dropped on the live side since, and would be able to log in again; or a migration made it.',
      right
        .filter(({ name }) => !here.has(name))
        .map((role) => ({
          // Dropping fails where it owns something, and a migration may have made it on purpose: it is only kept from
          // logging in.
          object: role.name,
          statements: role.login ? [new SecretStatement(`ALTER ROLE ${ident(role.name)} NOLOGIN`)] : [],
        })),
    ),
    ...globalFinding(
      'role-attributes',
      changed.length === 1
        ? 'role has other attributes on the candidate'
        : 'roles have other attributes on the candidate',
      'Attributes are not replicated; software would have more or less rights after the switchover.',
      changed,
    ),
    ...globalFinding(
      'role-password',
      'passwords differ on the candidate',
      'Software that logs in with its password of today fails after the switchover.',
      expected
        .filter(({ name }) => there.has(name) && !kept.includes(name))
        .filter((role) => role.password !== there.get(role.name)?.password)
        .map(({ name }) => ({ object: name, statements: [password(name)] })),
    ),
    ...(await membershipDifferences(live, candidate, new Set([...left, ...right].map(({ name }) => name)))),
  ];
}

function attributes(role: Role): string[] {
  const flag = (on: boolean, word: string) => `${on ? '' : 'NO'}${word}`;
  return [
    flag(role.superuser, 'SUPERUSER'),
    flag(role.inherit, 'INHERIT'),
    flag(role.createRole, 'CREATEROLE'),
    flag(role.createDb, 'CREATEDB'),
    flag(role.login, 'LOGIN'),
    flag(role.replication, 'REPLICATION'),
    flag(role.bypassRls, 'BYPASSRLS'),
    `CONNECTION LIMIT ${role.connections}`,
    `VALID UNTIL ${literal(role.validUntil)}`,
  ];
}

async function readRoles(client: Client, unread: boolean): Promise<Role[]> {
  const found = await rows<Role>(
    client,
    `
    SELECT rolname AS name, rolsuper AS superuser, rolinherit AS inherit, rolcreaterole AS "createRole", rolcreatedb AS "createDb", rolcanlogin AS login,
      rolreplication AS replication, rolbypassrls AS "bypassRls", rolconnlimit AS connections,
      coalesce(CASE WHEN isfinite(rolvaliduntil) THEN to_char(rolvaliduntil AT TIME ZONE 'UTC',
        'YYYY-MM-DD HH24:MI:SS.US+00') ELSE rolvaliduntil::text END, 'infinity') AS "validUntil",
      ${unread ? 'NULL' : "encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex')"} AS password
    FROM ${unread ? 'pg_roles' : 'pg_authid'} ORDER BY rolname COLLATE "C"`,
  );
  return found.filter(({ name }) => !foreignRole(name));
}

async function readVerifiers(client: Client, names: readonly string[]): Promise<Map<string, string | null>> {
  // Where they may not be read none differs.
  if (names.length === 0) return new Map();
  const found = await rows<{ name: string; verifier: string | null }>(
    client,
    'SELECT rolname AS name, rolpassword AS verifier FROM pg_authid WHERE rolname = ANY ($1)',
    [names],
  );
  return new Map(found.map(({ name, verifier }) => [name, verifier]));
}
