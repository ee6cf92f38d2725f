import { z } from 'zod';
import { settingTarget, settingValue } from './compare/globals-databases.ts';
import { one, rows, type Client } from './client.ts';
import { localeSchema, makeLike, readLocale } from './create-like.ts';
import { ident, literal } from './quote.ts';

/** What a database is besides what lies in it, by names: of roles, and of a tablespace. */
export const databaseShape = z.strictObject({
  locale: localeSchema,
  owner: z.string(),
  tablespace: z.string(),
  template: z.boolean(),
  connections: z.int(),
  comment: z.string().nullable(),
  /** An empty grantee is PUBLIC. */
  grants: z.array(z.strictObject({ grantee: z.string(), privilege: z.string(), grantable: z.boolean() })),
  /** Of an empty role: the database's own. */
  settings: z.array(z.strictObject({ role: z.string(), name: z.string(), value: z.string() })),
});

export type DatabaseShape = z.output<typeof databaseShape>;

/** Undefined where there is no such database. */
export async function readShape(client: Client, database: string): Promise<DatabaseShape | undefined> {
  const [found] = await rows<Omit<DatabaseShape, 'locale'>>(
    client,
    `SELECT pg_get_userbyid(d.datdba) AS owner, t.spcname AS tablespace, d.datistemplate AS template,
      d.datconnlimit AS connections, shobj_description(d.oid, 'pg_database') AS comment,
      (SELECT coalesce(json_agg(held ORDER BY grantee, privilege), '[]') FROM (
        SELECT coalesce(g.rolname, '') AS grantee, a.privilege_type AS privilege, bool_or(a.is_grantable) AS grantable
        FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a LEFT JOIN pg_roles g ON g.oid = a.grantee
        GROUP BY 1, 2) AS held) AS grants,
      (SELECT coalesce(json_agg(set ORDER BY role, name), '[]') FROM (
        SELECT coalesce(r.rolname, '') AS role, split_part(entry, '=', 1) AS name, substr(entry, strpos(entry, '=') + 1) AS value
        FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS entry LEFT JOIN pg_roles r ON r.oid = s.setrole
        WHERE s.setdatabase = d.oid) AS set) AS settings
    FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`,
    [database],
  );
  return found && { ...found, locale: await readLocale(client, database) };
}

/** Makes an empty one. */
export async function makeShaped(client: Client, database: string, shape: DatabaseShape): Promise<string[]> {
  await makeLike(client, database, shape.locale, shape.tablespace);
  return giveShape(client, database, shape);
}

/**
 * Gives a database its owner, grants, limit, comment and settings. Says what this role may not give it, or what names a
 * role that is gone.
 */
export async function giveShape(client: Client, database: string, shape: DatabaseShape): Promise<string[]> {
  const now = await readShape(client, database);
  if (!now) return [];
  const refused: string[] = [];
  for (const { what, sql } of changesTo(database, now, shape))
    await client.query(sql).catch((error: { code?: string }) => {
      if (!['42501', '42704', '42602', '22023'].includes(error.code ?? '')) throw error;
      refused.push(what);
    });
  return refused;
}

interface Change {
  readonly what: string;
  readonly sql: string;
}

/** The owner comes last: what is said before is the right of who made it, and goes over to whom it is given. */
function changesTo(database: string, now: DatabaseShape, wanted: DatabaseShape): Change[] {
  const named = ident(database);
  const changes: Change[] = [];
  const add = (what: string, sql: string): void => void changes.push({ what, sql });
  if (now.comment !== wanted.comment)
    add('its comment', `COMMENT ON DATABASE ${named} IS ${wanted.comment === null ? 'NULL' : literal(wanted.comment)}`);
  if (now.connections !== wanted.connections)
    add('its connection limit', `ALTER DATABASE ${named} CONNECTION LIMIT ${wanted.connections}`);
  if (now.template !== wanted.template)
    add('that it is a template', `ALTER DATABASE ${named} IS_TEMPLATE ${wanted.template}`);
  for (const { role, name, value } of missingOf(wanted.settings, now.settings))
    add(
      `the setting ${name}${role === '' ? '' : ` of ${role}`}`,
      `${settingTarget({ database, role })} SET ${ident(name)} TO ${settingValue({ name, value })}`,
    );
  const kept = new Set(wanted.settings.map(({ role, name }) => JSON.stringify([role, name])));
  for (const { role, name } of now.settings)
    if (!kept.has(JSON.stringify([role, name])))
      add(
        `that ${name}${role === '' ? '' : ` of ${role}`} is not set`,
        `${settingTarget({ database, role })} RESET ${ident(name)}`,
      );
  for (const { grantee, privilege } of missingOf(now.grants, wanted.grants))
    add(
      `that ${grantee || 'PUBLIC'} has not ${privilege}`,
      `REVOKE ${privilege} ON DATABASE ${named} FROM ${whom(grantee)} CASCADE`,
    );
  for (const { grantee, privilege, grantable } of missingOf(wanted.grants, now.grants))
    add(
      `${privilege} of ${grantee || 'PUBLIC'}`,
      `GRANT ${privilege} ON DATABASE ${named} TO ${whom(grantee)}${grantable ? ' WITH GRANT OPTION' : ''}`,
    );
  if (now.owner !== wanted.owner)
    add(`its owner ${wanted.owner}`, `ALTER DATABASE ${named} OWNER TO ${ident(wanted.owner)}`);
  return changes;
}

function whom(grantee: string): string {
  return grantee === '' ? 'PUBLIC' : ident(grantee);
}

function missingOf<T>(from: readonly T[], there: readonly T[]): T[] {
  const known = new Set(there.map((each) => JSON.stringify(each)));
  return from.filter((each) => !known.has(JSON.stringify(each)));
}

/** By which a database that was dropped and made again is told from the one before. */
export async function databaseOid(client: Client, database: string): Promise<number | undefined> {
  const { oid } = await one<{ oid: number | null }>(
    client,
    'SELECT (SELECT oid::int8::float8 FROM pg_database WHERE datname = $1) AS oid',
    [database],
  );
  return oid ?? undefined;
}
