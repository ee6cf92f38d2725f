import { lockerRole, readerRole } from '../model/names.ts';
import { one, rows, type Client } from './client.ts';
import { majorOf } from './major.ts';
import { userSchemas } from './preflight/tables.ts';
import { ident } from './quote.ts';

/** The first major with roles that read, and write, all data. */
export const predefined = 14;

const memberships: Readonly<Record<string, readonly string[]>> = {
  [readerRole]: ['pg_read_all_data', 'pg_monitor'],
  [lockerRole]: ['pg_read_all_data', 'pg_write_all_data'],
};

/** In their place, before it; of a sequence those that it has. A row can be locked by those alone who may write it. */
const privileges: Readonly<Record<string, readonly string[]>> = {
  [readerRole]: ['SELECT'],
  [lockerRole]: ['SELECT', 'UPDATE', 'INSERT', 'DELETE'],
};

/** Gives one of Verdigris's readers what it is a member of. */
export async function giveRights(operator: Client, role: string): Promise<void> {
  const older = (await majorOf(operator)) < predefined;
  const roles = (memberships[role] ?? []).filter((name) => !older || !name.endsWith('_all_data'));
  if (roles.length > 0) await operator.query(`GRANT ${roles.join(', ')} TO ${ident(role)}`);
}

/**
 * Before PostgreSQL 14 grants it what it lacks, object by object; what was made since the last time is among that. No
 * statement of anybody's waits for it.
 */
export async function grantRelations(operator: Client, role: string): Promise<void> {
  if ((await majorOf(operator)) >= predefined) return;
  const { statements } = await one<{ statements: string[] }>(
    operator,
    `SELECT ARRAY(
      SELECT format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, $1::text) FROM pg_namespace n
      WHERE ${userSchemas} AND NOT has_schema_privilege($1, n.oid, 'USAGE')
      UNION ALL
      SELECT format('GRANT %s ON %I.%I TO %I', string_agg(p.name, ', '), n.nspname, c.relname, $1::text)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest($2::text[]) AS p(name)
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND ${userSchemas}
        AND NOT CASE WHEN c.relkind <> 'S' THEN has_table_privilege($1, c.oid, p.name)
          WHEN p.name IN ('SELECT', 'UPDATE') THEN has_sequence_privilege($1, c.oid, p.name) ELSE true END
      GROUP BY n.nspname, c.relname) AS statements`,
    [role, privileges[role] ?? []],
  );
  for (const statement of statements) await operator.query(statement);
}

/**
 * What is evaluated when a row is written asks for EXECUTE, and some of it is for its owner alone. A function that runs
 * with more rights than its caller's stays closed, and one that the table's owner himself may not call.
 */
export async function grantChecks(operator: Client, role: string): Promise<void> {
  const found = await rows<{ statement: string }>(
    operator,
    `SELECT DISTINCT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, $1::text) AS statement
    FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid
      LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
      LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
      LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
      LEFT JOIN pg_partitioned_table s ON d.classid = 'pg_class'::regclass AND s.partrelid = d.objid
      LEFT JOIN pg_class c ON c.oid = coalesce(nullif(k.conrelid, 0), a.adrelid, i.indrelid, s.partrelid)
      LEFT JOIN pg_type t ON t.oid = k.contypid
    WHERE d.refclassid = 'pg_proc'::regclass AND coalesce(k.oid, a.oid, i.indexrelid, s.partrelid) IS NOT NULL AND NOT p.prosecdef
      AND NOT has_function_privilege($1, p.oid, 'EXECUTE')
      AND has_function_privilege(coalesce(c.relowner, t.typowner), p.oid, 'EXECUTE')`,
    [role],
  );
  for (const { statement } of found) await operator.query(statement);
}
