import { madeRoles, streamPattern } from '../../model/names.ts';

/**
 * SQL conditions for what belongs to the user. Left out: PostgreSQL's own schemas, temporary ones, ours (`verdigris`,
 * and the names that streams have), and members of extensions, for which the extension and its version stand. A user's
 * `verdigris_orders` is no name of ours.
 */

/** See `streamPattern`. */
export function ofStream(column: string): string {
  return `${column} ~ '${streamPattern}'`;
}

/** A role of PostgreSQL's own, or of ours. */
export function notOfUser(role: string): string {
  return `(${role} ~ '^pg_' OR ${role} = ANY ('{${madeRoles.join(',')}}'))`;
}

/** Indexes by which apply finds rows while a release changes a key: no part of the schema (see `row-identity.ts`). */
export function isStandIn(column: string): string {
  return `${column} ~ '^verdigris_identity_[0-9a-f]{12}$'`;
}

/** Neither temporary nor ours. */
export function lastingSchema(column: string): string {
  return `(${column} <> 'verdigris' AND ${column} !~ '^pg_(toast|temp)')`;
}

export function userSchema(column: string): string {
  return `(${column} NOT IN ('pg_catalog', 'information_schema') AND ${lastingSchema(column)})`;
}

const membership = 'EXISTS (SELECT FROM pg_depend member WHERE';

/** `catalogue` is the class that `oid` lives in, as text: `pg_class`. */
export function notOfExtension(catalogue: string, oid: string): string {
  return `NOT ${membership} member.classid = '${catalogue}'::regclass AND member.objid = ${oid} AND member.deptype = 'e')`;
}

/**
 * The statement that gives what this one leaves out by `notOfExtension`, before it the extension's name; none where it
 * leaves out nothing so.
 */
export function ofExtensions(part: string): string[] {
  const start = `NOT ${membership}`;
  const [, rest] = part.split(start);
  const condition = rest?.slice(0, rest.indexOf(')'));
  if (condition === undefined) return [];
  const extension = `(SELECT e.extname FROM pg_depend member JOIN pg_extension e ON e.oid = member.refobjid WHERE${condition})`;
  return [part.replace(start, membership).replace(/SELECT( DISTINCT)?/, (select) => `${select} ${extension},`)];
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
