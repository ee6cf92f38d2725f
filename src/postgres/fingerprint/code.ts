import { firstUserOid, notOfExtension, owner, userSchema } from './scope.ts';

const functions = `
  SELECT 'function', p.oid::regprocedure::text, coalesce(pg_get_functiondef(p.oid), '') || ${owner('p.proowner')}
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prokind <> 'a' AND ${userSchema('n.nspname')} AND n.oid <> pg_my_temp_schema() AND ${notOfExtension('pg_proc', 'p.oid')}`;

/** pg_get_functiondef() refuses aggregates. */
const aggregates = `
  SELECT 'aggregate', p.oid::regprocedure::text,
    format('%s %s state %s %s final %s %s combine %s serial %s %s moving %s %s %s initial %s %s sort %s parallel %s',
      a.aggkind, a.aggnumdirectargs, a.aggtransfn, format_type(a.aggtranstype, NULL), a.aggfinalfn, a.aggfinalmodify, a.aggcombinefn,
      a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, quote_nullable(a.agginitval), quote_nullable(a.aggminitval),
      a.aggsortop::regoperator, p.proparallel) || ${owner('p.proowner')}
  FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_proc', 'p.oid')}`;

const operators = `
  SELECT 'operator', o.oid::regoperator::text,
    format('function %s commutator %s negator %s restrict %s join %s merges %s hashes %s', o.oprcode::regproc, o.oprcom::regoperator, o.oprnegate::regoperator,
      o.oprrest, o.oprjoin, o.oprcanmerge, o.oprcanhash) || ${owner('o.oprowner')}
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_operator', 'o.oid')}`;

const operatorClasses = `
  SELECT 'operator class', format('%I.%I using %s', n.nspname, k.opcname, m.amname),
    format_type(k.opcintype, NULL) || CASE WHEN k.opcdefault THEN ' default' ELSE '' END
    || coalesce((SELECT string_agg(format(E'\\n%s %s', o.amopstrategy, o.amopopr::regoperator), '' ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE "C") FROM pg_amop o WHERE o.amopfamily = k.opcfamily), '')
    || coalesce((SELECT string_agg(format(E'\\n%s %s', f.amprocnum, f.amproc), '' ORDER BY f.amprocnum, f.amproc::text COLLATE "C") FROM pg_amproc f WHERE f.amprocfamily = k.opcfamily), '')
  FROM pg_opclass k JOIN pg_namespace n ON n.oid = k.opcnamespace JOIN pg_am m ON m.oid = k.opcmethod
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_opclass', 'k.oid')}`;

const casts = `
  SELECT 'cast', format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)), format('%s %s %s', c.castcontext, c.castmethod, nullif(c.castfunc, 0)::regprocedure)
  FROM pg_cast c WHERE c.oid >= ${firstUserOid} AND ${notOfExtension('pg_cast', 'c.oid')}`;

const searchConfigurations = `
  SELECT 'text search', format('%I.%I', n.nspname, t.cfgname), 'parser ' || t.cfgparser::text
    || coalesce((SELECT string_agg(format(E'\\n%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), '' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = t.oid), '')
  FROM pg_ts_config t JOIN pg_namespace n ON n.oid = t.cfgnamespace WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_ts_config', 't.oid')}
  UNION ALL
  SELECT 'text search', format('dictionary %I.%I', n.nspname, t.dictname), (SELECT tmplname FROM pg_ts_template WHERE oid = t.dicttemplate) || coalesce(' ' || t.dictinitoption, '')
  FROM pg_ts_dict t JOIN pg_namespace n ON n.oid = t.dictnamespace WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_ts_dict', 't.oid')}`;

export const codeParts = [functions, aggregates, operators, operatorClasses, casts, searchConfigurations];
