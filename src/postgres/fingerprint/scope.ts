/**
 * SQL conditions for what belongs to the user. Left out: PostgreSQL's own schemas, temporary ones, ours (`verdigris` and whatever is
 * named `verdigris_…`), and members of extensions, for which the extension and its version stand.
 */

/** True where the name is one of ours: `verdigris`, `verdigris_anything`. A user's `verdigrisfarm` is not. */
export function ours(column: string): string {
  return `${column} ~ '^verdigris([^a-z0-9]|$)'`;
}

export function userSchema(column: string): string {
  return `(${column} NOT IN ('pg_catalog', 'information_schema') AND ${column} !~ '^pg_(toast|temp)' AND NOT ${ours(column)})`;
}

/** `catalogue` is the class that `oid` lives in, as text: `pg_class`. */
export function notOfExtension(catalogue: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_depend member WHERE member.classid = '${catalogue}'::regclass AND member.objid = ${oid} AND member.deptype = 'e')`;
}

/** Objects made by initdb have lower OIDs (FirstNormalObjectId of access/transam.h); pg_upgrade keeps to that. */
export const firstUserOid = '16384::oid';

export function owner(column: string): string {
  return `E'\\nowner ' || quote_ident(pg_get_userbyid(${column}))`;
}

/** Storage parameters in name order: their order in the catalogue is that of the statements that set them. */
export function options(column: string): string {
  return `coalesce(E'\\nwith ' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(${column}) AS o), '')`;
}
