import { rows, type Client } from '../client.ts';
import { notOfInitdb } from '../maintenance.ts';
import { isSuperuser } from '../superuser.ts';
import { readBrought, readSchema, type SchemaKind, type SchemaObject } from '../fingerprint/index.ts';
import { lastingSchema, ofStream, owner, userSchema } from '../fingerprint/scope.ts';

/**
 * What tells a thing from another of its name and shape; only the server itself, or a copy of its volume, has the same.
 */
const identities = `
  SELECT 'identity' AS kind, format('table %I.%I', n.nspname, c.relname) AS identity, 'oid ' || c.oid AS definition
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchema('n.nspname')}`;

/** For what an extension brought stands the extension with its version; not for what somebody altered of it since. */
const members = `
  SELECT 'member', p.oid::regprocedure || ' of ' || quote_ident(e.extname), md5(pg_get_functiondef(p.oid)) || ${owner('p.proowner')}
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
  JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND p.prokind <> 'a'`;

/** Others' subscriptions: a copy has lost them. */
const subscriptions = `
  SELECT 'subscription', quote_ident(s.subname), format('enabled %s slot %s synchronous commit %s publications %s owner %s',
    s.subenabled, s.subslotname, s.subsynccommit, s.subpublications, pg_get_userbyid(s.subowner))
  FROM pg_catalog.pg_subscription s WHERE NOT ${ofStream('s.subname')} AND s.subdbid = (SELECT oid
  FROM pg_catalog.pg_database WHERE datname = current_database())`;

/**
 * Every object as `readSchema` has it, and which one it is: a table that was made again is another one, whatever it is
 * called.
 */
export async function readObjects(client: Client): Promise<SchemaObject[]> {
  return [
    ...(await readSchema(client)),
    ...(await readBrought(client)),
    ...(await rows<SchemaObject>(client, `${identities} UNION ALL ${members} UNION ALL ${subscriptions}`)),
  ];
}

/** Kinds that `readRewrites` gives. */
export const rewriteKinds: readonly SchemaKind[] = ['partition', 'columns of', 'publication of'];

/**
 * What tells that rows may have become others behind replication's back, while no shape did. Partitions with the file
 * that each is in: TRUNCATE of one gives it another, and publishing by the root does not carry that. Tables with who
 * wrote their columns into the catalogue: ALTER TABLE rewrites rows, drops a column and adds it again, or exchanges the
 * names of two, and what is seen of the table afterwards is what it was. Publications of ours with who wrote them: while
 * one was altered, not all that was written was sent. A witness's sends nothing, and goes once a switchover is over.
 */
export async function readRewrites(client: Client): Promise<SchemaObject[]> {
  return rows<SchemaObject>(
    client,
    `
    SELECT 'partition' AS kind, format('%I.%I', n.nspname, c.relname) AS identity, 'file ' || c.relfilenode AS definition
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relispartition AND c.relkind = 'r' AND ${lastingSchema('n.nspname')}
    UNION ALL
    SELECT 'columns of', format('%I.%I', n.nspname, c.relname), 'written by ' || string_agg(DISTINCT a.xmin::text, ', ')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchema('n.nspname')} GROUP BY n.nspname, c.relname
    UNION ALL
    SELECT 'publication of', format('%I.%I', n.nspname, c.relname),
      string_agg(format('%s written by %s, %s', p.pubname, p.xmin, r.xmin), '; ' ORDER BY p.pubname)
    FROM pg_catalog.pg_publication_rel r JOIN ONLY pg_catalog.pg_publication p ON p.oid = r.prpubid
      AND ${ofStream('p.pubname')} AND p.pubname !~ '_proof$'
    JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND ${userSchema('n.nspname')}
    GROUP BY n.nspname, c.relname`,
  );
}

/**
 * Sessions of this database whose statement, or last one, gives tables other files, each with its pid and what the
 * statement begins with: a literal may be a password, and these go into logs and Events.
 */
export async function readRewriters(client: Client): Promise<string[]> {
  const found = await rows<{ session: string }>(
    client,
    `SELECT format('session %s of %s%s: %s', pid, usename, CASE application_name WHEN '' THEN '' ELSE ' (' || application_name || ')' END,
        left(regexp_replace(regexp_replace(query, '[''$].*', '…'), '\\s+', ' ', 'g'), 100)) AS session
    FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND query ~* '\\m(truncate|cluster|alter|repack|vacuum)\\M' ORDER BY query_start DESC LIMIT 5`,
  );
  return found.map(({ session }) => session);
}

const refreshes = `
  SELECT 'rows of' AS kind, n.nspname || '.' || c.relname AS identity, format('file %s, %s rows written', c.relfilenode,
    pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)) AS definition
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'm' AND c.relispopulated AND ${lastingSchema('n.nspname')}`;

/**
 * How many rows sessions wrote in other databases, by the statistics that each leaves behind as it ends: whether they
 * are in tables of somebody's only a session there can tell.
 */
const writtenBeside = `
  SELECT 'written in', s.datname, (s.tup_inserted + s.tup_updated + s.tup_deleted) || ' rows'
  FROM pg_catalog.pg_stat_database s WHERE ${notOfInitdb('s.datname')} AND s.datname <> current_database()`;

/** Written by ALTER SYSTEM; only a superuser may look at it. */
const settingsFile =
  "SELECT 'settings in', 'postgresql.auto.conf', (pg_stat_file('postgresql.auto.conf')).modification::text";

/**
 * Populated materialized views with what tells that one was refreshed: it is in another file, or with CONCURRENTLY rows
 * of it were written.
 */
export async function readRefreshes(client: Client): Promise<SchemaObject[]> {
  return rows<SchemaObject>(client, refreshes);
}

/** Where a table is: its name and its root's as `schema.table`, unquoted, and its bound where it is a partition. */
export interface Leaf {
  readonly identity: string;
  readonly name: string;
  readonly root: string;
  readonly bound: string | null;
}

/** Those of these tables, as `readRewrites` names them, that are there. */
export async function readLeaves(client: Client, tables: readonly string[]): Promise<Leaf[]> {
  return rows<Leaf>(
    client,
    `
    SELECT leaf.name AS identity, n.nspname || '.' || c.relname AS name, rn.nspname || '.' || r.relname AS root,
      pg_get_expr(c.relpartbound, c.oid) AS bound
    FROM unnest($1::text[]) AS leaf (name)
    JOIN pg_catalog.pg_class c ON c.oid = to_regclass(leaf.name) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid)
    JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace`,
    [tables],
  );
}

/**
 * What lies around the database and is not carried: other databases, whatever they are marked as, transactions that are
 * prepared, others' logical slots, large objects; and what is carried beforehand alone.
 */
export async function readSurroundings(client: Client): Promise<SchemaObject[]> {
  const text = `
    SELECT 'database' AS kind, d.datname AS identity, format('%s written by %s', d.oid, d.xmin) AS definition
      FROM pg_catalog.pg_database d WHERE ${notOfInitdb('d.datname')}
    UNION ALL
    SELECT 'prepared transaction', x.gid, format('of %s, prepared %s', x.owner, x.prepared)
      FROM pg_catalog.pg_prepared_xacts x WHERE x.database = current_database()
    UNION ALL
    SELECT 'logical slot', s.slot_name, '' FROM pg_catalog.pg_replication_slots s
      WHERE s.slot_type = 'logical' AND NOT s.temporary AND NOT ${ofStream('s.slot_name')}
    UNION ALL
    (SELECT 'large object', l.oid::text, '' FROM pg_catalog.pg_largeobject_metadata l ORDER BY l.oid LIMIT 1000)
    UNION ALL ${refreshes} UNION ALL ${writtenBeside}${(await isSuperuser(client)) ? ` UNION ALL ${settingsFile}` : ''}`;
  // Planned once: under the fence the plan is there already.
  return (await client.query<SchemaObject>({ name: 'verdigris-surroundings', text })).rows;
}
