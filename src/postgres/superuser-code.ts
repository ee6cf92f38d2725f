import { rows, type Client } from './client.ts';
import { notOfExtension, userSchema } from './fingerprint/scope.ts';

/** An object of a superuser's, and code beneath it that another role may replace. */
export interface SuperuserCode {
  readonly schema: string;
  readonly name: string;
  /** `TABLE shop.orders`, as ALTER takes it. */
  readonly object: string;
  /** Quoted. */
  readonly owner: string;
  /** `ROUTINE shop.checked(integer)`, as ALTER takes it. */
  readonly code: string;
  /** Who may replace that. */
  readonly by: string;
}

/** Of a class `c`, whatever PostgreSQL may evaluate as its owner, as pairs of class and object. */
const beneath = `
  SELECT 'pg_class'::regclass, x.indexrelid FROM pg_index x WHERE x.indrelid = r.object
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = r.object AND k.contype IN ('c', 'x')
  UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid FROM pg_statistic_ext s WHERE s.stxrelid = r.object
  UNION ALL SELECT 'pg_attrdef'::regclass, d.oid FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE d.adrelid = r.object AND a.attgenerated <> ''
  UNION ALL SELECT 'pg_type'::regclass, a.atttypid FROM pg_attribute a WHERE a.attrelid = r.object AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT 'pg_rewrite'::regclass, w.oid FROM pg_rewrite w JOIN pg_class v ON v.oid = w.ev_class
    WHERE w.ev_class = r.object AND (v.relkind = 'm' OR v.relkind = 'v' AND r.read)
  UNION ALL SELECT 'pg_proc'::regclass, g.tgfoid FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
    WHERE g.tgrelid = r.object AND NOT g.tgisinternal AND g.tgenabled IN ('A', 'R') AND NOT p.prosecdef`;

/**
 * Where only values of types are read, and no function is called: what stands in defaults, policies, rules and conditions
 * of triggers, as an object is made.
 */
const literals = `
  SELECT 'pg_attrdef'::regclass AS class, d.oid AS object, o.root FROM pg_attrdef d JOIN root o ON o.class = 'pg_class'::regclass AND o.object = d.adrelid
  UNION ALL SELECT 'pg_policy'::regclass, p.oid, o.root FROM pg_policy p JOIN root o ON o.class = 'pg_class'::regclass AND o.object = p.polrelid
  UNION ALL SELECT 'pg_trigger'::regclass, g.oid, o.root FROM pg_trigger g
    JOIN root o ON o.class = 'pg_class'::regclass AND o.object = g.tgrelid WHERE NOT g.tgisinternal
  UNION ALL SELECT 'pg_rewrite'::regclass, w.oid, o.root FROM pg_rewrite w JOIN root o ON o.class = 'pg_class'::regclass AND o.object = w.ev_class`;

/**
 * What a superuser owns and reaches code that a role that is none owns. PostgreSQL evaluates that with the owner's
 * rights: in indexes, CHECKs, generated columns, partition keys, domains and triggers on apply as rows are applied, from
 * PostgreSQL 16 on; and with the rights of whoever makes it. `made`: a seed by tables or rows will make them, so that
 * what stands in values, statistics, materialized views and at the other end of a foreign key counts too. A function that
 * calls another one by its text alone is not seen through. `superusers`: more roles that are superusers where it is made.
 */
export function superuserCode(
  client: Client,
  { made, superusers = [] }: { readonly made: boolean; readonly superusers?: readonly string[] },
): Promise<SuperuserCode[]> {
  return rows<SuperuserCode>(
    client,
    `WITH RECURSIVE super AS (SELECT oid FROM pg_roles WHERE rolsuper OR rolname = ANY ($1)),
    theirs AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relowner IN (SELECT oid FROM super) AND (c.relkind IN ('r', 'p') OR $2 AND c.relkind IN ('m', 'f', 'v')) AND c.relpersistence <> 't'
        AND ${userSchema('n.nspname')} AND ${notOfExtension('pg_class', 'c.oid')}),
    root AS (
      SELECT 'pg_class'::regclass AS class, oid AS object, oid AS root, 'pg_class'::regclass AS of FROM theirs
      UNION SELECT 'pg_class'::regclass, i.inhrelid, i.inhparent, 'pg_class'::regclass FROM pg_inherits i JOIN theirs t ON t.oid = i.inhparent
      UNION SELECT 'pg_class'::regclass, i.inhparent, i.inhrelid, 'pg_class'::regclass FROM pg_inherits i JOIN theirs t ON t.oid = i.inhrelid
      UNION SELECT 'pg_class'::regclass, k.confrelid, k.conrelid, 'pg_class'::regclass FROM pg_constraint k JOIN theirs t ON t.oid = k.conrelid
        WHERE $2 AND k.contype = 'f'),
    start AS (
      SELECT class, object, root, of, true AS calls, false AS read FROM root
      UNION SELECT class, object, root, 'pg_class'::regclass, false, false FROM (${literals}) AS l WHERE $2
      UNION SELECT 'pg_proc'::regclass, p.oid, p.oid, 'pg_proc'::regclass, false, false FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
        WHERE $2 AND (p.proowner IN (SELECT oid FROM super)
            OR p.prokind <> 'a' AND (p.proleakproof OR p.prosupport <> 0 OR NOT l.lanpltrusted))
          AND (p.pronargdefaults > 0 OR p.prokind = 'a' OR to_jsonb(p) ->> 'prosqlbody' IS NOT NULL)
          AND ${userSchema('n.nspname')} AND ${notOfExtension('pg_proc', 'p.oid')}
      UNION SELECT 'pg_type'::regclass, t.oid, t.oid, 'pg_type'::regclass, true, false FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE $2 AND t.typtype = 'd' AND t.typowner IN (SELECT oid FROM super) AND ${userSchema('n.nspname')}
          AND ${notOfExtension('pg_type', 't.oid')}),
    reached AS (
      SELECT class, object, root, of, calls, read FROM start
      UNION
      SELECT e.class, e.object, r.root, r.of, r.calls OR e.calls, e.read FROM reached r CROSS JOIN LATERAL (
        SELECT d.refclassid::regclass AS class, d.refobjid AS object, false AS calls, false AS read FROM pg_depend d
          WHERE d.classid = r.class AND d.objid = r.object AND d.refobjid >= 16384 AND (d.refclassid = 'pg_type'::regclass
            OR r.calls AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass))
        UNION ALL SELECT 'pg_class'::regclass, d.refobjid, false, true FROM pg_depend d
          WHERE r.calls AND r.class = 'pg_rewrite'::regclass AND d.classid = r.class AND d.objid = r.object
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid >= 16384
        UNION ALL SELECT b.class, b.object, false, false FROM (${beneath}) AS b(class, object) WHERE r.calls AND r.class = 'pg_class'::regclass
        UNION ALL SELECT 'pg_proc'::regclass, o.oprcode, false, false FROM pg_operator o WHERE r.class = 'pg_operator'::regclass AND o.oid = r.object
        UNION ALL SELECT 'pg_constraint'::regclass, k.oid, true, false FROM pg_constraint k WHERE r.class = 'pg_type'::regclass AND k.contypid = r.object
        UNION ALL SELECT 'pg_type'::regclass, a.atttypid, false, false FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
          WHERE r.class = 'pg_type'::regclass AND t.oid = r.object AND a.attnum > 0 AND a.atttypid >= 16384
        UNION ALL SELECT 'pg_proc'::regclass, g.rngcanonical::oid, true, false FROM pg_range g
          WHERE r.class = 'pg_type'::regclass AND g.rngtypid = r.object AND g.rngcanonical::oid >= 16384) AS e
      WHERE e.object >= 16384)
    SELECT DISTINCT s.nspname AS schema, s.name, s.object, quote_ident(pg_get_userbyid(s.owner)) AS owner,
      CASE p.prokind WHEN 'a' THEN 'AGGREGATE ' ELSE 'ROUTINE ' END || p.oid::regprocedure AS code,
      pg_get_userbyid(p.proowner) AS by
    FROM reached r JOIN pg_proc p ON r.class = 'pg_proc'::regclass AND p.oid = r.object
      CROSS JOIN LATERAL (
        SELECT n.nspname, c.relowner AS owner, c.relname AS name, CASE c.relkind WHEN 'v' THEN 'VIEW'
            WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END || format(' %I.%I', n.nspname, c.relname) AS object
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.of = 'pg_class'::regclass AND c.oid = r.root
        UNION ALL SELECT n.nspname, f.proowner, f.proname, CASE f.prokind WHEN 'a' THEN 'AGGREGATE ' ELSE 'ROUTINE ' END || f.oid::regprocedure
        FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE r.of = 'pg_proc'::regclass AND f.oid = r.root
        UNION ALL SELECT n.nspname, t.typowner, t.typname, format('DOMAIN %I.%I', n.nspname, t.typname)
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE r.of = 'pg_type'::regclass AND t.oid = r.root) AS s
    WHERE p.proowner NOT IN (SELECT oid FROM super) AND ${notOfExtension('pg_proc', 'p.oid')}
      AND p.pronamespace IS DISTINCT FROM to_regnamespace('verdigris') AND (r.of <> 'pg_proc'::regclass OR r.root <> p.oid)
    ORDER BY 1, 2, 5 LIMIT 200`,
    [superusers, made],
  );
}
