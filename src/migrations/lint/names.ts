import { ident } from '../../postgres/quote.ts';
import type { Name } from './ast.ts';

/** Key words that cannot name a table or column unquoted (reserved in PostgreSQL 15 to 18). */
const reserved = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean ' +
    'both case cast char character check coalesce collate collation column ' +
    'concurrently constraint create cross current_catalog current_date current_role current_schema ' +
    'current_time current_timestamp current_user dec decimal default deferrable ' +
    'desc distinct do else end except exists extract false fetch float for foreign freeze from full grant ' +
    'greatest group grouping having ilike in initially inner inout int ' +
    'integer intersect interval into is isnull join lateral leading least left like limit localtime ' +
    'localtimestamp national natural nchar none normalize not notnull null nullif ' +
    'numeric offset on only or order out outer overlaps overlay placing position precision primary real ' +
    'references returning right row select session_user setof similar smallint ' +
    'some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true ' +
    'union unique user using values varchar variadic verbose when where ' +
    'window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable'
  ).split(' '),
);

/** An identifier for a suggestion: quoted only where it must be, so that a person reads what he wrote. */
export function plainIdent(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !reserved.has(name) ? name : ident(name);
}

/** A table for a suggestion; `public` is left out, as most migrations do. */
export function plainTable(name: Name): string {
  return name.schema === 'public' ? plainIdent(name.name) : `${plainIdent(name.schema)}.${plainIdent(name.name)}`;
}

/** A name for a constraint or index that the statement leaves unnamed, within PostgreSQL's 63 bytes. */
export function derivedName(parts: readonly string[], suffix: string): string {
  return plainIdent(`${parts.join('_').slice(0, 62 - suffix.length)}_${suffix}`);
}
