import { firstUserOid, notOfExtension, ofStream, owner, userSchema } from './scope.ts';

const schemas = `
  SELECT 'schema', quote_ident(n.nspname), 'schema' || ${owner('n.nspowner')}
  FROM pg_namespace n WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_namespace', 'n.oid')}`;

const extensions = `
  SELECT 'extension', quote_ident(e.extname), format('version %s schema %I', e.extversion, n.nspname) || ${owner('e.extowner')}
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`;

const languages = `
  SELECT 'language', quote_ident(l.lanname), format('handler %s trusted %s', nullif(l.lanplcallfoid, 0)::regproc, l.lanpltrusted) || ${owner('l.lanowner')}
  FROM pg_language l WHERE l.lanispl`;

const wrappers = `
  SELECT 'foreign data wrapper', quote_ident(w.fdwname), format('handler %s validator %s options %s',
    nullif(w.fdwhandler, 0)::regproc, nullif(w.fdwvalidator, 0)::regproc,
    (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(w.fdwoptions) AS o)) || ${owner('w.fdwowner')}
  FROM pg_foreign_data_wrapper w`;

/** User mappings are left out: the switchover carries them. */
const servers = `
  SELECT 'foreign server', quote_ident(s.srvname), format('wrapper %I type %s version %s options %s', w.fdwname, s.srvtype, s.srvversion,
    (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(s.srvoptions) AS o)) || ${owner('s.srvowner')}
  FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE ${notOfExtension('pg_foreign_server', 's.oid')}`;

const eventTriggers = `
  SELECT 'event trigger', quote_ident(e.evtname), format('on %s execute %s %s tags %s', e.evtevent, e.evtfoid::regprocedure, e.evtenabled,
    (SELECT string_agg(t, ', ' ORDER BY t COLLATE "C") FROM unnest(e.evttags) AS t)) || ${owner('e.evtowner')}
  FROM pg_event_trigger e WHERE ${notOfExtension('pg_event_trigger', 'e.oid')}`;

const publications = `
  SELECT 'publication', quote_ident(p.pubname),
    format('all tables %s insert %s update %s delete %s truncate %s via root %s', p.puballtables, p.pubinsert,
      p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot)
    || coalesce((SELECT string_agg(E'\\ntable ' || r.prrelid::regclass::text
        || coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C")
          FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')', '')
        || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), ''), ''
          ORDER BY r.prrelid::regclass::text COLLATE "C") FROM pg_publication_rel r WHERE r.prpubid = p.oid), '')
    || coalesce((SELECT string_agg(E'\\nschema ' || s.pnnspid::regnamespace::text, ''
      ORDER BY s.pnnspid::regnamespace::text COLLATE "C") FROM pg_publication_namespace s WHERE s.pnpubid = p.oid), '')
    || ${owner('p.pubowner')}
  FROM pg_publication p WHERE NOT ${ofStream('p.pubname')}`;

/** PostgreSQL's own belong to whoever made the server. */
const tablespaces = `
  SELECT 'tablespace', quote_ident(t.spcname), coalesce((SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(t.spcoptions) AS o), '')
    || CASE WHEN t.oid >= ${firstUserOid} THEN ${owner('t.spcowner')} ELSE '' END
  FROM pg_tablespace t WHERE t.oid >= ${firstUserOid} OR t.spcoptions IS NOT NULL`;

/** ALTER … DEPENDS ON EXTENSION. */
const dependencies = `
  SELECT DISTINCT 'dependency', format('%s %s on extension %I', o.type, o.identity, e.extname), ''
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS o
  WHERE d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass`;

/** Where pg_identify_object() gives a name of ours, in a schema of ours or on a table of one. */
const foreignToUs =
  `(o.schema IS NULL OR ${userSchema('o.schema')}) AND o.identity !~ '(^| on )verdigris[.]' AND o.identity ` +
  `<> 'verdigris' AND o.identity !~ '(^|[ "])pg_(temp|toast)'`;

/** Of an extension: what its author did not write, and of a database what initdb did not. */
const comments = `
  SELECT 'comment', o.type || ' ' || o.identity, d.description
  FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS o
  WHERE (d.objoid >= ${firstUserOid} OR (d.classoid = 'pg_namespace'::regclass AND d.objoid = 'public'::regnamespace
  AND d.description <> 'standard public schema'))
    AND d.classoid <> 'pg_extension'::regclass AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
    AND ${foreignToUs}
  UNION ALL
  SELECT 'comment', CASE WHEN o.type = 'database' THEN 'database' ELSE o.type || ' ' || o.identity END, d.description
  FROM pg_shdescription d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, 0) AS o
  WHERE (d.objoid >= ${firstUserOid} OR d.classoid = 'pg_tablespace'::regclass OR d.description <> 'default administrative connection database')
    AND (d.classoid <> 'pg_database'::regclass OR d.objoid = (SELECT oid FROM pg_database WHERE datname = current_database()))
  UNION ALL
  SELECT 'comment', 'extension ' || quote_ident(e.extname), d.description
  FROM pg_extension e JOIN pg_description d ON d.classoid = 'pg_extension'::regclass AND d.objoid = e.oid
    LEFT JOIN pg_available_extensions() a ON a.name = e.extname WHERE d.description IS DISTINCT FROM a.comment`;

const labels = `
  SELECT 'label', format('%s %s for %s', o.type, o.identity, l.provider), l.label
  FROM pg_seclabel l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) AS o WHERE ${foreignToUs}
  UNION ALL
  SELECT 'label', format('%s %s for %s', o.type, o.identity, l.provider), l.label
  FROM pg_shseclabel l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, 0) AS o`;

export const databaseParts = [
  schemas,
  extensions,
  languages,
  wrappers,
  servers,
  eventTriggers,
  publications,
  tablespaces,
  dependencies,
  comments,
  labels,
];
