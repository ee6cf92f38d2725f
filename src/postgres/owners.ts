import { VerdigrisError } from '../model/errors.ts';
import { rows, type Client } from './client.ts';
import { notOfExtension, userSchema } from './fingerprint/scope.ts';
import { ident } from './quote.ts';

interface Made {
  /** `TABLE shop.fresh`, as ALTER takes it. */
  readonly what: string;
  readonly owner: string;
}

/** Functions (`p`) that replicated rows fire: before PostgreSQL 16 they must not be anybody else's to replace. */
export const firedAsSuperuser = `(current_setting('server_version_num')::int < 160000
      AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid = p.oid AND g.tgenabled IN ('A', 'R')))`;

/**
 * What belongs to whoever is connected in schemas of roles that are no superusers; public is its database owner's.
 */
const inOthersSchemas = `
  WITH place AS (
    SELECT n.oid, n.nspname, o.rolname AS owner FROM pg_namespace n
    JOIN pg_roles o ON o.oid = CASE WHEN n.nspowner = 'pg_database_owner'::regrole
      THEN (SELECT datdba FROM pg_database WHERE datname = current_database()) ELSE n.nspowner END
    WHERE NOT o.rolsuper AND ${userSchema('n.nspname')})
  SELECT 'TABLE ' || format('%I.%I', place.nspname, c.relname) AS what, place.owner FROM pg_class c JOIN place ON place.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relowner = current_user::regrole AND ${notOfExtension('pg_class', 'c.oid')}
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
  UNION ALL
  SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE ' ELSE 'ROUTINE ' END || p.oid::regprocedure, place.owner
    FROM pg_proc p JOIN place ON place.oid = p.pronamespace
  WHERE p.proowner = current_user::regrole AND ${notOfExtension('pg_proc', 'p.oid')}
    AND NOT ${firedAsSuperuser}
  UNION ALL
  SELECT 'TYPE ' || format('%I.%I', place.nspname, t.typname), place.owner FROM pg_type t JOIN place ON place.oid = t.typnamespace
  WHERE t.typowner = current_user::regrole AND ${notOfExtension('pg_type', 't.oid')}
    AND (t.typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  ORDER BY 1`;

/** Of everything in schemas of users that is no extension's. */
const allOwners = `
  SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${userSchema('n.nspname')} AND ${notOfExtension('pg_class', 'c.oid')}
  UNION SELECT p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_proc', 'p.oid')}
  UNION SELECT t.typowner FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r') AND ${userSchema('n.nspname')} AND ${notOfExtension('pg_type', 't.oid')}`;

/**
 * Whom migrations run as: the declared role; else the owner of the database or, failing that, of a schema, where that
 * role is no superuser and may change everything that is there and add to every schema that has something. Undefined
 * where nobody may: then it takes the operator.
 * @throws VerdigrisError `migration-owner-missing`.
 */
export async function migrationOwner(client: Client, declared: string | undefined): Promise<string | undefined> {
  if (declared !== undefined) {
    if ((await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1', [declared])).length > 0) return declared;
    throw new VerdigrisError('migration-owner-missing', {
      seen: `roles.owner is ${declared}, but the server has no such role.`,
      required: 'the role that migrations run as, which owns what they change.',
      next:
        `make it on the live colour (\`CREATE ROLE ${ident(declared)}\`) and give it what it is to own, or ` +
        'take roles.owner out; then run the same command.',
      facts: { role: declared },
    });
  }
  const [found] = await rows<{ name: string }>(
    client,
    `WITH candidate AS (
      SELECT datdba AS oid, 0 AS place FROM pg_database WHERE datname = current_database()
      UNION SELECT nspowner, 1 FROM pg_namespace WHERE ${userSchema('nspname')}),
    used AS (
      SELECT n.oid FROM pg_namespace n WHERE ${userSchema('n.nspname')} AND EXISTS (
        SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND ${notOfExtension('pg_class', 'c.oid')}))
    SELECT r.rolname AS name FROM candidate JOIN pg_roles r USING (oid)
    WHERE NOT r.rolsuper AND r.rolname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM (${allOwners}) AS o (oid) WHERE NOT pg_has_role(r.oid, o.oid, 'USAGE'))
      AND NOT EXISTS (SELECT FROM used WHERE NOT has_schema_privilege(r.oid, used.oid, 'CREATE'))
    ORDER BY candidate.place, 1 LIMIT 1`,
  );
  return found?.name;
}

/**
 * Gives what `owner` makes from now on the grants that what the operator makes gets: an environment that was made while
 * migrations ran as the operator goes on to give its applications their rights. What the owner has defaults for already
 * is his. Returns how many.
 */
export async function defaultsFollow(client: Client, owner: string): Promise<number> {
  const lacking = await rows<{ schema: string; what: string; privileges: string; grantee: string }>(
    client,
    `SELECT n.nspname AS schema, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' END AS what,
      string_agg(a.privilege_type, ', ') AS privileges, g.rolname AS grantee
    FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace CROSS JOIN LATERAL aclexplode(d.defaclacl) a
    JOIN pg_roles g ON g.oid = a.grantee
    WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype IN ('r', 'S') AND NOT EXISTS (
      SELECT FROM pg_default_acl o JOIN pg_roles r ON r.oid = o.defaclrole
      WHERE r.rolname = $1 AND o.defaclnamespace = d.defaclnamespace AND o.defaclobjtype = d.defaclobjtype)
    GROUP BY 1, 2, 4 ORDER BY 1, 2, 4`,
    [owner],
  );
  for (const { schema, what, privileges, grantee } of lacking)
    await client.query(
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${ident(owner)} IN SCHEMA ${ident(schema)} GRANT ${privileges} ON ${what} TO ${ident(grantee)}`,
    );
  return lacking.length;
}

/** As text, so that two servers can be compared. */
export async function ownInOthersSchemas(client: Client): Promise<ReadonlySet<string>> {
  return new Set((await rows<Made>(client, inOthersSchemas)).map(({ what }) => what));
}

/**
 * Gives what migrations made as superuser to the owner of its schema: a function that runs with its owner's rights then
 * has the schema's owner's and no more, and who may change the old objects may change the new ones. Rights that were
 * granted on them go along.
 * `before` is left as it is. Returns what was handed over; safe to run again.
 */
export async function handOver(client: Client, before: ReadonlySet<string>): Promise<string[]> {
  const made = (await rows<Made>(client, inOthersSchemas)).filter(({ what }) => !before.has(what));
  for (const { what, owner } of made) await client.query(`ALTER ${what} OWNER TO ${ident(owner)}`);
  return made.map(({ what, owner }) => `${what} to ${owner}`);
}
