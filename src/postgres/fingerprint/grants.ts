import { lockerRole, migrationRole, readerRole } from '../../model/names.ts';
import { lastingSchema } from './scope.ts';

/**
 * Privileges, compared with what the object would have without any GRANT or REVOKE, so that NULL and a spelled-out
 * default are the same. A grantee that has every privilege the major knows has `all`: PostgreSQL 17 added MAINTAIN, and
 * a dump's GRANT ALL gives it there. The owner is left out where he has everything, which is what every first GRANT
 * writes down for him. What Verdigris's own readers are granted, before PostgreSQL 14, is nobody's schema.
 */
const lines = (acl: string, type: string, ownerOid: string) => `
  (SELECT string_agg(line, E'\\n' ORDER BY line COLLATE "C") FROM (
    SELECT coalesce(quote_ident(r.rolname), CASE x.grantee WHEN 0 THEN 'public' ELSE x.grantee::text END) || ': '
      || CASE WHEN count(DISTINCT x.privilege_type) = (SELECT count(*) FROM aclexplode(acldefault(${type}, 10)) AS w WHERE w.grantee = 10) THEN 'all'
           ELSE string_agg(DISTINCT x.privilege_type, ', ' ORDER BY x.privilege_type) END
      || CASE WHEN bool_or(x.is_grantable) THEN ' (grantable: ' || string_agg(DISTINCT x.privilege_type, ', '
        ORDER BY x.privilege_type) FILTER (WHERE x.is_grantable) || ')' ELSE '' END AS line,
      x.grantee = ${ownerOid} AND count(DISTINCT x.privilege_type) = (SELECT count(*)
        FROM aclexplode(acldefault(${type}, 10)) AS w WHERE w.grantee = 10) AS whole
    FROM aclexplode(${acl}) AS x LEFT JOIN pg_roles r ON r.oid = x.grantee
    WHERE r.rolname IS NULL OR r.rolname NOT IN ('${readerRole}', '${lockerRole}')
    GROUP BY x.grantee, r.rolname) AS l WHERE NOT whole)`;

/** Extensions' members and PostgreSQL's own objects start from pg_init_privs; every other object from acldefault(). */
function part(source: {
  readonly catalogue: string;
  readonly type: string;
  readonly acl: string;
  readonly owner: string;
  readonly oid: string;
  readonly identity: string;
  readonly from: string;
  readonly column?: string;
}): string {
  const { catalogue, type, acl, owner, oid, identity, from, column = '0' } = source;
  const initial =
    `coalesce((SELECT i.initprivs FROM pg_init_privs i WHERE i.classoid = '${catalogue}'::regclass AND ` +
    `i.objoid = ${oid} AND i.objsubid = ${column}), acldefault(${type}, ${owner}))`;
  // Thousands of tables are granted alike: what a list of privileges says is found once.
  return `
  (WITH granted AS MATERIALIZED (SELECT ${identity} AS identity, ${acl} AS acl, ${initial} AS initial, ${type} AS type, ${owner} AS owner
      FROM ${from} AND ${acl} IS NOT NULL),
    said AS MATERIALIZED (SELECT a.*, ${lines('a.acl', 'a.type', 'a.owner')} AS now, ${lines('a.initial', 'a.type', 'a.owner')} AS before
      FROM (SELECT DISTINCT acl, initial, type, owner FROM granted) AS a)
  SELECT 'grants', g.identity, coalesce(s.now, 'nobody but the owner')
  FROM granted g JOIN said s USING (acl, initial, type, owner) WHERE s.now IS DISTINCT FROM s.before)`;
}

const relationType = `CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char"`;
const relation = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;
/** PostgreSQL's own objects as well: what they began with is in pg_init_privs. */
const inScope = lastingSchema('n.nspname');

const parts = [
  part({
    catalogue: 'pg_class',
    type: relationType,
    acl: 'c.relacl',
    owner: 'c.relowner',
    oid: 'c.oid',
    identity: `format('%I.%I', n.nspname, c.relname)`,
    from: `${relation} WHERE c.relpersistence <> 't' AND ${inScope}`,
  }),
  part({
    catalogue: 'pg_class',
    type: `'c'::"char"`,
    acl: 'a.attacl',
    owner: 'c.relowner',
    oid: 'c.oid',
    column: 'a.attnum',
    identity: `format('%I.%I.%I', n.nspname, c.relname, a.attname)`,
    from:
      `pg_attribute a JOIN ${relation.replace('pg_class c', 'pg_class c ON c.oid = a.attrelid')} WHERE NOT ` +
      `a.attisdropped AND c.relpersistence <> 't' AND ${inScope}`,
  }),
  part({
    catalogue: 'pg_proc',
    type: `'f'::"char"`,
    acl: 'p.proacl',
    owner: 'p.proowner',
    oid: 'p.oid',
    identity: `'function ' || p.oid::regprocedure::text`,
    from: `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${inScope}`,
  }),
  part({
    catalogue: 'pg_namespace',
    type: `'n'::"char"`,
    acl: 'n.nspacl',
    owner: 'n.nspowner',
    oid: 'n.oid',
    identity: `'schema ' || quote_ident(n.nspname)`,
    from: `pg_namespace n WHERE ${inScope}`,
  }),
  part({
    catalogue: 'pg_type',
    type: `'T'::"char"`,
    acl: 't.typacl',
    owner: 't.typowner',
    oid: 't.oid',
    identity: `'type ' || format_type(t.oid, NULL)`,
    from: `pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${inScope}`,
  }),
  part({
    catalogue: 'pg_language',
    type: `'l'::"char"`,
    acl: 'l.lanacl',
    owner: 'l.lanowner',
    oid: 'l.oid',
    identity: `'language ' || quote_ident(l.lanname)`,
    from: 'pg_language l WHERE true',
  }),
  part({
    catalogue: 'pg_foreign_server',
    type: `'S'::"char"`,
    acl: 's.srvacl',
    owner: 's.srvowner',
    oid: 's.oid',
    identity: `'server ' || quote_ident(s.srvname)`,
    from: 'pg_foreign_server s WHERE true',
  }),
  part({
    catalogue: 'pg_foreign_data_wrapper',
    type: `'F'::"char"`,
    acl: 'w.fdwacl',
    owner: 'w.fdwowner',
    oid: 'w.oid',
    identity: `'foreign data wrapper ' || quote_ident(w.fdwname)`,
    from: 'pg_foreign_data_wrapper w WHERE true',
  }),
  part({
    catalogue: 'pg_tablespace',
    type: `'t'::"char"`,
    acl: 's.spcacl',
    owner: 's.spcowner',
    oid: 's.oid',
    identity: `'tablespace ' || quote_ident(s.spcname)`,
    from: 'pg_tablespace s WHERE true',
  }),
  part({
    catalogue: 'pg_parameter_acl',
    type: `'p'::"char"`,
    acl: 'p.paracl',
    owner: '10::oid',
    oid: 'p.oid',
    identity: `'parameter ' || p.parname`,
    // The login that is tried with has some for as long as it lives.
    from: `pg_parameter_acl p WHERE EXISTS (SELECT FROM aclexplode(p.paracl) a WHERE a.grantee <> 10 AND pg_get_userbyid(a.grantee) <> '${migrationRole}')`,
  }),
];

const defaults = `
  SELECT 'default grants', format('%I %s %s', pg_get_userbyid(d.defaclrole), coalesce(n.nspname, 'everywhere'), d.defaclobjtype),
    coalesce(${lines('d.defaclacl', `CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END::"char"`, '0')}, 'nobody')
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace WHERE n.nspname IS NULL OR n.nspname <> 'verdigris'`;

export const grantParts = [...parts, defaults];
