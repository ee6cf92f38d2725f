import { isStandIn, notOfExtension, options, owner, userSchema } from './scope.ts';

const onTable = (tableOid: string) => `
  JOIN pg_class c ON c.oid = ${tableOid} AND c.relpersistence <> 't' JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_class', 'c.oid')}`;
const on = (name: string) => `format('%I on %I.%I', ${name}, n.nspname, c.relname)`;

/**
 * From PostgreSQL 18 NOT NULL has rows of its own in pg_constraint; the column says it in every major, so they are left
 * out here.
 */
const constraints = `
  SELECT 'constraint', ${on('k.conname')}, pg_get_constraintdef(k.oid)
    || CASE WHEN k.convalidated THEN '' ELSE ' not validated' END
    || CASE WHEN k.conislocal THEN '' ELSE ' inherited' END
  FROM pg_constraint k ${onTable('k.conrelid')} AND k.contype NOT IN ('n', 't')`;

const indexes = `
  SELECT 'index', format('%I.%I', n.nspname, x.relname), pg_get_indexdef(i.indexrelid)
    || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END || CASE WHEN i.indisclustered THEN ' clustered' ELSE '' END
    || coalesce(' tablespace ' || (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = x.reltablespace), '')
    || ${options('x.reloptions')}
    || coalesce((SELECT E'\\nstatistics ' || string_agg(a.attname || ' ' || a.attstattarget, ', ' ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget > -1), '')
    || coalesce((SELECT E'\\nof ' || h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = x.oid), '')
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid ${onTable('i.indrelid')} AND NOT ${isStandIn('x.relname')}`;

const state = (column: string) =>
  `CASE ${column} WHEN 'O' THEN 'enabled' WHEN 'A' THEN 'enabled always' WHEN 'R' THEN 'enabled replica' ELSE 'disabled' END`;

/** Those that keep a backfill run a function of ours. */
const triggers = `
  SELECT 'trigger', ${on('g.tgname')}, pg_get_triggerdef(g.oid) || E'\\n' || ${state('g.tgenabled')}
  FROM pg_trigger g ${onTable('g.tgrelid')} AND NOT g.tgisinternal
    AND NOT EXISTS (SELECT FROM pg_proc p WHERE p.oid = g.tgfoid AND p.pronamespace = to_regnamespace('verdigris'))`;

/** Internal triggers keep foreign keys; DISABLE TRIGGER ALL switches them off and leaves no other trace. */
const disabledKeys = `
  SELECT DISTINCT 'trigger', ${on("coalesce((SELECT k.conname FROM pg_constraint k WHERE k.oid = g.tgconstraint), 'constraint')")}, ${state('g.tgenabled')}
  FROM pg_trigger g ${onTable('g.tgrelid')} AND g.tgisinternal AND g.tgenabled <> 'O'`;

const rules = `
  SELECT 'rule', ${on('r.rulename')}, pg_get_ruledef(r.oid) || E'\\n' || ${state('r.ev_enabled')}
  FROM pg_rewrite r ${onTable('r.ev_class')} AND r.rulename <> '_RETURN'`;

const policies = `
  SELECT 'policy', ${on('p.polname')},
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END
    || ' for ' || CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END
    || ' to ' || (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(r)) END, ', '
      ORDER BY pg_get_userbyid(r) COLLATE "C") FROM unnest(p.polroles) AS r)
    || coalesce(E'\\nusing ' || pg_get_expr(p.polqual, p.polrelid), '')
    || coalesce(E'\\nwith check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
  FROM pg_policy p ${onTable('p.polrelid')}`;

/** stxstattarget's default is -1 before PostgreSQL 17 and NULL after. Mostly they belong to whom the table belongs to. */
const statistics = `
  SELECT 'statistics', format('%I.%I', sn.nspname, s.stxname), pg_get_statisticsobjdef(s.oid) || coalesce(' statistics ' || nullif(s.stxstattarget, -1), '')
    || CASE WHEN s.stxowner = c.relowner THEN '' ELSE ${owner('s.stxowner')} END
  FROM pg_statistic_ext s JOIN pg_namespace sn ON sn.oid = s.stxnamespace ${onTable('s.stxrelid')}`;

export const attachedParts = [constraints, indexes, triggers, disabledKeys, rules, policies, statistics];
