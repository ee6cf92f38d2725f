import { rows, type Client } from './client.ts';
import { notOfExtension, userSchema } from './fingerprint/scope.ts';
import { ident } from './quote.ts';

interface Made {
  /** `TABLE shop.fresh`, as ALTER takes it. */
  readonly what: string;
  readonly owner: string;
}

/**
 * What belongs to whoever is connected in schemas of roles that are no superusers; public is its database owner's. Before PostgreSQL 16
 * functions that replicated rows fire are left out: apply runs them as superuser there, so they must not be anybody else's to replace.
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
    AND NOT (current_setting('server_version_num')::int < 160000
      AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid = p.oid AND g.tgenabled IN ('A', 'R')))
  UNION ALL
  SELECT 'TYPE ' || format('%I.%I', place.nspname, t.typname), place.owner FROM pg_type t JOIN place ON place.oid = t.typnamespace
  WHERE t.typowner = current_user::regrole AND ${notOfExtension('pg_type', 't.oid')}
    AND (t.typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  ORDER BY 1`;

/** As text, so that two servers can be compared. */
export async function ownInOthersSchemas(client: Client): Promise<ReadonlySet<string>> {
  return new Set((await rows<Made>(client, inOthersSchemas)).map(({ what }) => what));
}

/**
 * Gives what migrations made as superuser to the owner of its schema: a function that runs with its owner's rights then has the
 * schema's owner's and no more, and who may change the old objects may change the new ones. Rights that were granted on them go along.
 * `before` is left as it is. Returns what was handed over; safe to run again.
 */
export async function handOver(client: Client, before: ReadonlySet<string>): Promise<string[]> {
  const made = (await rows<Made>(client, inOthersSchemas)).filter(({ what }) => !before.has(what));
  for (const { what, owner } of made) await client.query(`ALTER ${what} OWNER TO ${ident(owner)}`);
  return made.map(({ what, owner }) => `${what} to ${owner}`);
}
