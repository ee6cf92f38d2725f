import type { Lsn } from '../../model/lsn.ts';
import { one, rows, type Client } from '../../postgres/client.ts';
import type { LockMode } from '../lint/locks.ts';
import { modeOf } from './modes.ts';

/** What a session sees of the database at one moment, its own uncommitted changes included. */
export interface DatabaseState {
  readonly lsn: Lsn;
  readonly bytes: number;
  /** File numbers by OID, of whatever has storage: another number is another file, so a rewrite. */
  readonly files: ReadonlyMap<string, string>;
  /** Locks of this session on tables, by OID. */
  readonly locks: readonly { readonly table: string; readonly mode: LockMode }[];
}

const equals = 'OPERATOR(pg_catalog.=)';

/** Of users: what PostgreSQL itself has is numbered below. */
const ofUsers = 'c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid';

const kindIn = (kinds: string): string => `c.relkind ${equals} ANY ('{${kinds}}'::pg_catalog."char"[])`;

/**
 * Reads the state in the session that runs the migration: nobody else sees the files and locks of its transaction.
 * Everything is schema-qualified, operators too, and needs no privilege, since a migration may have changed the path and
 * the role, and names of the user's database may find anybody's before PostgreSQL's.
 */
export async function readState(client: Client): Promise<DatabaseState> {
  const found = await one<{
    lsn: Lsn;
    bytes: number;
    files: Record<string, string> | null;
    locks: { table: string; mode: string }[] | null;
  }>(
    client,
    `
    SELECT pg_catalog.pg_current_wal_insert_lsn()::text AS lsn,
      CASE WHEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CONNECT') THEN
        pg_catalog.pg_database_size(pg_catalog.current_database()) ELSE 0 END::float8 AS bytes,
      (SELECT pg_catalog.json_object_agg(c.oid, pg_catalog.pg_relation_filenode(c.oid)::text)
        FROM pg_catalog.pg_class c WHERE ${kindIn('r,m,i,t')} AND ${ofUsers} AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char") AS files,
      (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('table', l.relation::text, 'mode', l.mode)) FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_class c ON c.oid ${equals} l.relation AND ${kindIn('r,p,m')} AND ${ofUsers}
        WHERE l.pid ${equals} pg_catalog.pg_backend_pid() AND l.granted AND l.locktype ${equals} 'relation'::pg_catalog.text) AS locks`,
  );
  return {
    lsn: found.lsn,
    bytes: found.bytes,
    files: new Map(Object.entries(found.files ?? {})),
    locks: (found.locks ?? []).flatMap(({ table, mode }) => {
      const known = modeOf(mode);
      return known ? [{ table, mode: known }] : [];
    }),
  };
}

export interface RelationRewrite {
  readonly relation: string;
  readonly bytes: number;
}

/**
 * What got another file between two states: each table with its indexes and TOAST as one, an index by itself where its
 * table stayed.
 */
export async function rewrites(
  client: Client,
  before: DatabaseState,
  after: DatabaseState,
): Promise<RelationRewrite[]> {
  const changed = [...after.files]
    .filter(([oid, file]) => before.files.has(oid) && before.files.get(oid) !== file)
    .map(([oid]) => oid);
  if (changed.length === 0) return [];
  return rows<RelationRewrite>(
    client,
    `
    SELECT pg_catalog.concat(n.nspname, '.', c.relname) AS relation, CASE WHEN ${kindIn('i')} THEN
      pg_catalog.pg_relation_size(c.oid) ELSE pg_catalog.pg_total_relation_size(c.oid) END::float8 AS bytes
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ${equals} c.relnamespace
    WHERE c.oid ${equals} ANY ($1::pg_catalog.oid[]) AND ${kindIn('r,m,i')}
      AND n.nspname OPERATOR(pg_catalog.<>) 'pg_toast'::pg_catalog.name
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indexrelid ${equals} c.oid AND i.indrelid ${equals} ANY ($1::pg_catalog.oid[]))
    ORDER BY 2 DESC, 1`,
    [changed],
  );
}

/** Names of tables by OID, outside Verdigris's own schema: with those that exist now, which a migration may drop. */
export async function tableNames(client: Client): Promise<Map<string, string>> {
  const found = await rows<{ oid: string; name: string }>(
    client,
    `
    SELECT c.oid::text AS oid, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= 16384 AND n.nspname NOT IN ('verdigris', 'pg_toast')`,
  );
  return new Map(found.map(({ oid, name }) => [oid, name]));
}
