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
    || coalesce((SELECT string_agg(format(E'\\n%s %s', o.amopstrategy, o.amopopr::regoperator), ''
      ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE "C") FROM pg_amop o WHERE o.amopfamily = k.opcfamily), '')
    || coalesce((SELECT string_agg(format(E'\\n%s %s', f.amprocnum, f.amproc), ''
      ORDER BY f.amprocnum, f.amproc::text COLLATE "C") FROM pg_amproc f WHERE f.amprocfamily = k.opcfamily), '')
    || ${owner('k.opcowner')}
  FROM pg_opclass k JOIN pg_namespace n ON n.oid = k.opcnamespace JOIN pg_am m ON m.oid = k.opcmethod
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_opclass', 'k.oid')}`;

/** Members that belong to no class are in their family alone. */
const operatorFamilies = `
  SELECT 'operator family', format('%I.%I using %s', n.nspname, f.opfname, m.amname),
    coalesce((SELECT string_agg(format('%s %s', o.amopstrategy, o.amopopr::regoperator), E'\\n'
      ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE "C") FROM pg_amop o WHERE o.amopfamily = f.oid), '')
    || coalesce((SELECT string_agg(format(E'\\n%s %s', p.amprocnum, p.amproc::regprocedure), ''
      ORDER BY p.amprocnum, p.amproc::regprocedure::text COLLATE "C") FROM pg_amproc p WHERE p.amprocfamily = f.oid), '')
    || ${owner('f.opfowner')}
  FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_opfamily', 'f.oid')}`;

const accessMethods = `
  SELECT 'access method', quote_ident(m.amname), format('%s handler %s', m.amtype, m.amhandler::regprocedure)
  FROM pg_am m WHERE m.oid >= ${firstUserOid} AND ${notOfExtension('pg_am', 'm.oid')}`;

const conversions = `
  SELECT 'conversion', format('%I.%I', n.nspname, c.conname),
    format('%s to %s by %s%s', pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
      c.conproc::regprocedure, CASE WHEN c.condefault THEN ' default' END) || ${owner('c.conowner')}
  FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= ${firstUserOid} AND ${notOfExtension('pg_conversion', 'c.oid')}`;

const transforms = `
  SELECT 'transform', format('%s language %I', format_type(t.trftype, NULL), l.lanname),
    format('from sql %s to sql %s', nullif(t.trffromsql, 0)::regprocedure, nullif(t.trftosql, 0)::regprocedure)
  FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE ${notOfExtension('pg_transform', 't.oid')}`;

const casts = `
  SELECT 'cast', format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
    format('%s %s %s', c.castcontext, c.castmethod, nullif(c.castfunc, 0)::regprocedure)
  FROM pg_cast c WHERE c.oid >= ${firstUserOid} AND ${notOfExtension('pg_cast', 'c.oid')}`;

const searchConfigurations = `
  SELECT 'text search', format('%I.%I', n.nspname, t.cfgname), 'parser ' || t.cfgparser::text
    || coalesce((SELECT string_agg(format(E'\\n%s %s %s', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ''
      ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = t.oid), '') || ${owner('t.cfgowner')}
  FROM pg_ts_config t JOIN pg_namespace n ON n.oid = t.cfgnamespace WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_ts_config', 't.oid')}`;

const searchDictionaries = `
  SELECT 'text search', format('dictionary %I.%I', n.nspname, t.dictname), (SELECT tmplname FROM pg_ts_template
    WHERE oid = t.dicttemplate) || coalesce(' ' || t.dictinitoption, '') || ${owner('t.dictowner')}
  FROM pg_ts_dict t JOIN pg_namespace n ON n.oid = t.dictnamespace WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_ts_dict', 't.oid')}`;

const searchParsers = `
  SELECT 'text search', format('parser %I.%I', n.nspname, p.prsname), format('%s %s %s %s %s', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype)
  FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid >= ${firstUserOid} AND ${notOfExtension('pg_ts_parser', 'p.oid')}`;

const searchTemplates = `
  SELECT 'text search', format('template %I.%I', n.nspname, t.tmplname), format('%s %s', t.tmplinit, t.tmpllexize)
  FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid >= ${firstUserOid} AND ${notOfExtension('pg_ts_template', 't.oid')}`;

export const codeParts = [
  functions,
  aggregates,
  operators,
  operatorClasses,
  operatorFamilies,
  accessMethods,
  conversions,
  transforms,
  casts,
  searchConfigurations,
  searchDictionaries,
  searchParsers,
  searchTemplates,
];
