import { notOfExtension, owner, userSchema } from './scope.ts';

/** A table's row type and every type's array type follow from the table and the type. */
const types = `
  SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format('%I.%I', n.nspname, t.typname),
    CASE t.typtype
      WHEN 'e' THEN 'enum' || coalesce((SELECT string_agg(E'\\n' || quote_literal(e.enumlabel), ''
      ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
      WHEN 'c' THEN 'composite' || coalesce((SELECT string_agg(E'\\n' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
          || CASE WHEN a.attcollation NOT IN (0, at.typcollation) THEN ' collate ' || a.attcollation::regcollation::text ELSE '' END, '' ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '')
      WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
        || CASE WHEN t.typcollation NOT IN (0, b.typcollation) THEN ' collate ' || t.typcollation::regcollation::text ELSE '' END
        || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || t.typdefault, '')
        || coalesce((SELECT string_agg(E'\\n' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) || CASE
          WHEN k.convalidated THEN '' ELSE ' not validated' END, '' ORDER BY k.conname COLLATE "C")
          FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype <> 'n'), '')
      WHEN 'r' THEN (SELECT format('range of %s %s %s %s', format_type(r.rngsubtype, NULL), (SELECT opcname
      FROM pg_opclass WHERE oid = r.rngsubopc), r.rngcanonical, r.rngsubdiff)
          || CASE WHEN r.rngcollation <> 0 THEN ' collate ' || r.rngcollation::regcollation::text ELSE '' END FROM pg_range r WHERE r.rngtypid = t.oid)
      ELSE format('base %s %s %s %s %s', t.typinput, t.typoutput, t.typlen, t.typalign, t.typstorage) END
    || ${owner('t.typowner')}
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type b ON b.oid = t.typbasetype
  WHERE t.typtype <> 'm' AND ${userSchema('n.nspname')} AND ${notOfExtension('pg_type', 't.oid')}
    AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
    AND NOT EXISTS (SELECT FROM pg_type el WHERE el.typarray = t.oid)`;

/** The locale's column was renamed twice (colliculocale, then colllocale), hence the row as JSON. */
const collations = `
  SELECT 'collation', format('%I.%I', n.nspname, c.collname),
    format('%s %s deterministic %s', c.collprovider, coalesce(c.collcollate, j.v ->> 'colllocale', j.v ->>
      'colliculocale'), c.collisdeterministic) || ${owner('c.collowner')}
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace CROSS JOIN LATERAL (SELECT to_jsonb(c)) AS j(v)
  WHERE ${userSchema('n.nspname')} AND ${notOfExtension('pg_collation', 'c.oid')}`;

export const typeParts = [types, collations];
