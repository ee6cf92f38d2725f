import { settingTarget, settingValue } from '../compare/globals-databases.ts';
import { SecretStatement } from '../compare/secret.ts';
import { one, type Client } from '../client.ts';
import { ident, literal } from '../quote.ts';

/** From the first to the last: a role exists before anything is said of it. */
export const statementKinds = [
  'role',
  'login',
  'password',
  'member',
  'setting',
  'owner',
  'connections',
  'template',
  'grant',
  'mapping',
  'origin',
];

/**
 * What gives `to` this entry as `from` has it; `value` undefined: `from` has it no more. `there` is what `to` has.
 * Secrets are read where they are needed only.
 */
export async function statementFor(
  from: Client,
  major: number,
  [kind, ...names]: readonly string[],
  value: string | undefined,
  there?: string,
): Promise<SecretStatement> {
  const [first = '', second = '', third = ''] = names;
  switch (kind) {
    case 'role':
      return value === undefined ? dropped(first) : made(first, value, there);
    case 'login':
      return new SecretStatement(
        value === undefined
          ? `DELETE FROM verdigris.fenced_role WHERE name = ${literal(first)}; ${ifThere(first, `ALTER ROLE ${ident(first)} NOLOGIN`)}`
          : `INSERT INTO verdigris.fenced_role (name) VALUES (${literal(first)}) ON CONFLICT DO NOTHING`,
      );
    case 'password':
      return password(from, first, value);
    case 'member':
      return new SecretStatement(member(first, second, third, value, major));
    case 'setting': {
      const target = settingTarget({ database: first, role: second });
      return new SecretStatement(
        value === undefined
          ? ifThere(second, `${target} RESET ${ident(third)}`)
          : `${target} SET ${ident(third)} TO ${settingValue({ name: third, value })}`,
      );
    }
    case 'owner':
      return new SecretStatement(`ALTER DATABASE ${ident(first)} OWNER TO ${ident(value ?? '')}`);
    case 'connections':
      return new SecretStatement(`ALTER DATABASE ${ident(first)} CONNECTION LIMIT ${value ?? '-1'}`);
    case 'template':
      return new SecretStatement(`ALTER DATABASE ${ident(first)} IS_TEMPLATE ${value ?? 'false'}`);
    case 'grant': {
      const grantee = second === '' ? 'PUBLIC' : ident(second);
      const fenced = third === 'CONNECT' && first === from.database;
      const revoke = `REVOKE ${third} ON DATABASE ${ident(first)} FROM ${grantee}`;
      if (value === undefined)
        return new SecretStatement(
          fenced
            ? `DELETE FROM verdigris.fenced_connect WHERE grantee = ${literal(second)}; ${ifThere(second, revoke)}`
            : ifThere(second, revoke),
        );
      const grant = `${revoke}; GRANT ${third} ON DATABASE ${ident(first)} TO ${grantee}${value === 'true' ? ' WITH GRANT OPTION' : ''}`;
      return new SecretStatement(fenced ? behindFence(second, value, grant) : grant);
    }
    case 'origin':
      return new SecretStatement(origin(first, value));
    default:
      return mapping(from, first, second, value);
  }
}

/**
 * As long as the role exists: what was said of one that is gone went with it. An empty name is nobody's, and always
 * there.
 */
function ifThere(role: string, sql: string): string {
  if (role === '') return sql;
  return `DO ${literal(`BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}) THEN ${sql}; END IF; END`)}`;
}

/** Where a fence has taken CONNECT from all, it is remembered for when that opens. */
function behindFence(grantee: string, grantable: string, grant: string): string {
  return `DO ${literal(`BEGIN IF EXISTS (SELECT FROM verdigris.fenced_connect) THEN
    INSERT INTO verdigris.fenced_connect VALUES (${literal(grantee)}, ${grantable}) ON CONFLICT (grantee) DO UPDATE SET grantable = excluded.grantable;
    ELSE ${grant}; END IF; END`)}`;
}

/** It may own something here, and then cannot be dropped: nobody can log in by it then. */
function dropped(role: string): SecretStatement {
  const drop = `BEGIN DROP ROLE ${ident(role)}; EXCEPTION WHEN dependent_objects_still_exist THEN ALTER ROLE ${ident(role)} NOLOGIN PASSWORD NULL; END`;
  return new SecretStatement(ifThere(role, drop));
}

type Attributes = [boolean, boolean, boolean, boolean, boolean, boolean, number, string];

/** Of a role that CREATE ROLE has just made. */
const fresh: Attributes = [false, true, false, false, false, false, -1, 'infinity'];

const clauses: readonly ((value: boolean | number | string) => string)[] = [
  ...['SUPERUSER', 'INHERIT', 'CREATEROLE', 'CREATEDB', 'REPLICATION', 'BYPASSRLS'].map(
    (word) => (on: boolean | number | string) => `${on === true ? '' : 'NO'}${word}`,
  ),
  (most) => `CONNECTION LIMIT ${most}`,
  (until) => `VALID UNTIL ${literal(String(until))}`,
];

/**
 * Never with LOGIN: that is given when the colour is opened. Only what differs: who is no superuser may not say
 * SUPERUSER, even with NO.
 */
function made(role: string, value: string, there: string | undefined): SecretStatement {
  const wanted = JSON.parse(value) as Attributes;
  const has = there === undefined ? fresh : (JSON.parse(there) as Attributes);
  const differing = clauses.flatMap((clause, place) => {
    const [want = '', is = ''] = [wanted[place], has[place]];
    return want === is ? [] : [clause(want)];
  });
  const create = `BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}) THEN CREATE ROLE ${ident(role)} NOLOGIN; END IF; END`;
  return new SecretStatement(
    [
      `DO ${literal(create)}`,
      ...(differing.length > 0 ? [`ALTER ROLE ${ident(role)} ${differing.join(' ')}`] : []),
    ].join('; '),
  );
}

async function password(from: Client, role: string, value: string | undefined): Promise<SecretStatement> {
  if (value === undefined) return new SecretStatement(ifThere(role, `ALTER ROLE ${ident(role)} PASSWORD NULL`));
  const { verifier } = await one<{ verifier: string }>(
    from,
    'SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1',
    [role],
  );
  return new SecretStatement(`ALTER ROLE ${ident(role)} PASSWORD ${literal(verifier)}`, `the password of ${role}`);
}

/** With how far it has come: who goes on by it on `to` writes nothing twice. */
function origin(name: string, position: string | undefined): string {
  const [of, known] = [literal(name), `(SELECT FROM pg_replication_origin WHERE roname = ${literal(name)})`];
  if (position === undefined) return `SELECT pg_replication_origin_drop(${of}) WHERE EXISTS ${known}`;
  const advance = `SELECT pg_replication_origin_advance(${of}, ${literal(position)})`;
  return `SELECT pg_replication_origin_create(${of}) WHERE NOT EXISTS ${known}; ${advance}`;
}

/**
 * By its grantor: from PostgreSQL 16 on, who revokes without naming him revokes nothing. INHERIT and SET are unknown
 * before 16.
 */
function member(role: string, name: string, grantor: string, value: string | undefined, major: number): string {
  const by = grantor === '' ? '' : ` GRANTED BY ${ident(grantor)}`;
  if (value === undefined) return ifThere(name, ifThere(role, `REVOKE ${ident(role)} FROM ${ident(name)}${by}`));
  const [admin, inherit, set] = JSON.parse(value) as [boolean, boolean | null, boolean | null];
  const grant = `GRANT ${ident(role)} TO ${ident(name)}`;
  if (major >= 16 && inherit !== null && set !== null)
    return `${grant} WITH ADMIN ${admin}, INHERIT ${inherit}, SET ${set}${by}`;
  return admin
    ? `${grant} WITH ADMIN OPTION${by}`
    : `${grant}${by}; REVOKE ADMIN OPTION FOR ${ident(role)} FROM ${ident(name)}${by}`;
}

async function mapping(
  from: Client,
  server: string,
  user: string,
  value: string | undefined,
): Promise<SecretStatement> {
  const whose = `FOR ${user === 'public' ? 'PUBLIC' : ident(user)} SERVER ${ident(server)}`;
  const drop = `DROP USER MAPPING IF EXISTS ${whose}`;
  if (value === undefined) return new SecretStatement(drop);
  const { options } = await one<{ options: string[] }>(
    from,
    "SELECT coalesce(to_json(umoptions), '[]') AS options FROM pg_user_mappings WHERE srvname = $1 AND coalesce(usename, 'public') = $2",
    [server, user],
  );
  const list = options.map((option) => {
    const at = option.indexOf('=');
    return `${ident(option.slice(0, at))} ${literal(option.slice(at + 1))}`;
  });
  return new SecretStatement(
    `${drop}; CREATE USER MAPPING ${whose}${list.length > 0 ? ` OPTIONS (${list.join(', ')})` : ''}`,
    `the user mapping of ${user} for ${server}`,
  );
}
