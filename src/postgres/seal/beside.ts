import { rows, type Client } from '../client.ts';
import { notOfInitdb } from '../maintenance.ts';
import { ident, literal } from '../quote.ts';
import type { SchemaObject } from '../fingerprint/index.ts';
import { readObjects } from './objects.ts';

/** Bytes up to which the content of another database is read whole. */
const readable = 256 * 1024 ** 2;

/** Another database of the server, marked as a template or closed: what a server with this one's extensions is born with. */
export interface Beside {
  readonly name: string;
  readonly connectable: boolean;
  /** Small enough to be read whole. */
  readonly small: boolean;
  /** What is said of it outside of it; a copy of the volume has the same. */
  readonly outside: string;
}

/** All but those that are named. */
export async function readBeside(client: Client, known: readonly string[]): Promise<Beside[]> {
  return rows<Beside>(
    client,
    `
    SELECT d.datname AS name, d.datallowconn AS connectable,
      has_database_privilege(d.oid, 'CONNECT') AND pg_catalog.pg_database_size(d.oid) <= ${readable} AS small,
      json_build_array(d.oid, d.datistemplate, d.datallowconn, pg_catalog.pg_get_userbyid(d.datdba), d.datconnlimit, d.datcollate, d.datctype,
        pg_catalog.pg_encoding_to_char(d.encoding), d.dattablespace, d.datacl::text[],
        (SELECT json_agg(json_build_array(pg_catalog.pg_get_userbyid(s.setrole), s.setconfig) ORDER BY s.setrole)
          FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid))::text AS outside
    FROM pg_catalog.pg_database d WHERE ${notOfInitdb('d.datname')} AND d.datname <> ALL ($1) AND (d.datistemplate OR NOT d.datallowconn)
    ORDER BY d.datname COLLATE "C"`,
    [known],
  );
}

/**
 * Who wrote the rows of those that nobody may connect to: to write there somebody has to open them first, which is
 * another row, also where they are closed again. Freezing leaves that number as it is.
 */
export async function readClosed(client: Client): Promise<SchemaObject[]> {
  return rows<SchemaObject>(
    client,
    `SELECT 'closed database' AS kind, d.datname AS identity, format('%s written by %s', d.oid, d.xmin) AS definition
    FROM pg_catalog.pg_database d WHERE NOT d.datallowconn AND ${notOfInitdb('d.datname')}`,
  );
}

/** Every object and row of the database of the connection, as text that its copy gives as well. */
export async function readWhole(client: Client): Promise<string> {
  const tables = await rows<{ schema: string; name: string; kind: string }>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'S') AND c.relispopulated AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\\_toast%' ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  const contents = tables.map(({ schema, name, kind }) => {
    const row = kind === 'S' ? 'ROW(x.last_value, x.is_called)' : 'x';
    return `SELECT ${literal(`${schema}.${name}`)} AS name, count(*) || ' ' || coalesce(sum(hashtextextended(textin(record_out(${row})), 0)), 0) AS rows
      FROM ${kind === 'r' ? 'ONLY ' : ''}${ident(schema, name)} x`;
  });
  const large =
    "SELECT 'large objects', string_agg(l::text, ' ' ORDER BY l.oid) FROM pg_catalog.pg_largeobject_metadata l";
  return JSON.stringify([await readObjects(client), await rows(client, [...contents, large].join(' UNION ALL '))]);
}
