import { label, qualified } from '../catalogue.ts';
import { one, rows } from '../client.ts';
import { ident } from '../quote.ts';
import { count, everyGate, found, statements, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

interface Relation {
  readonly schema: string;
  readonly name: string;
}

const nothing = 'Nothing to do.';
const byName = 'ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"';

/** Hazard 11. */
export const partitions: Check = {
  id: 'partitioned-tables', hazards: [11], title: 'partitioned tables', on: 'live', when: ['seed'], findings: { 'partitioned-tables': 'info' },
  run: async (client) => {
    const roots = await rows<Relation & { partitions: number }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, (SELECT count(*) FROM pg_partition_tree(c.oid) t WHERE t.isleaf)::int AS partitions
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND NOT c.relispartition AND ${userSchemas} ${byName}`);
    return found({
      id: 'partitioned-tables', grade: 'info', title: 'Tables are partitioned.', objects: roots.map((root) => `${label(root)}: ${count(root.partitions, 'partition')}`),
      reason: 'They are published as their root, so both colours may split differently; but a row needs a partition there, so make those that fall due before seeding.', mend: nothing,
    });
  },
};

/** Old-style inheritance: children are tables of their own to replication. */
export const inheritance: Check = {
  id: 'inherited-tables', hazards: [11], title: 'inherited tables', on: 'live', when: ['seed'], findings: { 'inherited-tables': 'info' },
  run: async (client) => {
    const children = await rows<Relation & { parent: string }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, i.inhparent::regclass::text AS parent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT c.relispartition AND c.relkind = 'r' AND ${userSchemas} ${byName}`);
    return found({
      id: 'inherited-tables', grade: 'info', title: 'Tables inherit from others.', objects: children.map((child) => `${label(child)} from ${child.parent}`),
      reason: 'Each is replicated for itself. Keys do not reach over children, so each child needs a key of its own.', mend: nothing,
    });
  },
};

/** Docs: "Logical Replication / Restrictions". dblink and postgres_fdw keep the address of the database they name, on the copy too. */
export const foreignTables: Check = {
  id: 'foreign-data', hazards: [], title: 'foreign tables and servers', on: 'live', when: ['seed'], findings: { 'foreign-server-self': 'warn', 'foreign-tables': 'info', dblink: 'info' },
  run: async (client) => {
    const tables = await rows<Relation & { server: string }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, s.srvname AS server FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE ${userSchemas} ${byName}`);
    const selves = await rows<{ name: string; options: string }>(client, `
      SELECT s.srvname AS name, o.options::text AS options FROM pg_foreign_server s CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(option_name, option_value), '{}') AS options FROM pg_options_to_table(s.srvoptions)) AS o JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
      WHERE w.fdwname IN ('postgres_fdw', 'dblink_fdw') AND coalesce(o.options ->> 'port', current_setting('port')) = current_setting('port') AND coalesce(o.options ->> 'dbname', current_database()) = current_database()
        AND (coalesce(o.options ->> 'host', '') = '' OR o.options ->> 'host' IN ('localhost', '127.0.0.1', '::1', host(inet_server_addr())) OR o.options ->> 'host' LIKE '/%') ORDER BY s.srvname COLLATE "C"`);
    const users = await rows<Relation>(client, `
      SELECT n.nspname AS schema, p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${userSchemas} AND p.prosrc ~* '\\mdblink(_\\w+)?\\s*\\(' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      ORDER BY n.nspname COLLATE "C", p.proname COLLATE "C"`);
    return [
      ...found({
        id: 'foreign-server-self', grade: 'warn', title: 'Foreign servers point at this very database.', objects: selves.map(({ name, options }) => `${name} ${options}`),
        reason: "The copy keeps the address: what migrations or clients do through them on the candidate happens on the live database, or after the switchover on the old one.",
        mend: statements(['-- give them the address of the environment, which follows the live colour; or, where they are not needed:', ...selves.map(({ name }) => `DROP SERVER ${ident(name)} CASCADE;`)]),
      }),
      ...found({
        id: 'foreign-tables', grade: 'info', title: 'Foreign tables are not replicated.', objects: tables.map((table) => `${label(table)} of ${table.server}`),
        reason: 'Both colours read and write the same remote tables through them; migrations must not write there twice.', mend: nothing,
      }),
      ...found({
        id: 'dblink', grade: 'info', title: 'Functions open connections by dblink.', objects: users.map(label),
        reason: 'What they do elsewhere is not replicated and does not follow the switchover, unless they use the address of the environment.', mend: nothing,
      }),
    ];
  },
};

/** Hazard 9. */
export const materializedViews: Check = {
  id: 'materialized-views', hazards: [9], title: 'materialized views', on: 'live', when: ['seed'], findings: { 'materialized-views': 'info' },
  run: async (client) => {
    const views = await rows<Relation & { megabytes: number; populated: boolean }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, round(pg_total_relation_size(c.oid) / 1048576.0, 1)::float8 AS megabytes, c.relispopulated AS populated
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND ${userSchemas} ${byName}`);
    return found({
      id: 'materialized-views', grade: 'info', title: `${count(views.length, 'materialized view')}, ${count(Math.round(views.reduce((sum, { megabytes }) => sum + megabytes, 0)), 'megabyte')} in all.`,
      objects: views.map((view) => `${label(view)}: ${view.megabytes} MB${view.populated ? '' : ', not populated'}`),
      reason: 'They are not replicated and go stale on the candidate; Verdigris refreshes them before it verifies, which takes as long as their queries.', mend: nothing,
    });
  },
};

/** Tables that an extension made are the user's data to replication, and the extension's to pg_dump. */
export const extensionTables: Check = {
  id: 'extension-tables', hazards: [27, 35], title: 'tables of extensions', on: 'live', when: ['seed'], findings: { 'extension-tables': 'info' },
  run: async (client) => {
    const tables = await rows<Relation & { extension: string }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, e.extname AS extension FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid WHERE c.relkind IN ('r', 'p') AND ${userSchemas} ${byName}`);
    return found({
      id: 'extension-tables', grade: 'info', title: 'Extensions have tables of their own.', objects: tables.map((table) => `${label(table)} of ${table.extension}`),
      reason: "They are published like others; ALTER EXTENSION UPDATE on the candidate may change them, which then counts as a difference.", mend: nothing,
    });
  },
};

/** Hazards 13 and 35. Docs: "Logical Replication / Restrictions", TRUNCATE. */
export const foreignKeys: Check = {
  id: 'foreign-keys', hazards: [13, 35], title: 'foreign keys', on: 'live', when: everyGate, findings: { 'foreign-keys-outside': 'refuse', 'constraints-not-validated': 'info', 'foreign-keys': 'info' },
  run: async (client) => {
    const outside = await rows<Relation & { constraint: string; target: string }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, k.conname AS constraint, k.confrelid::regclass::text AS target FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class fc ON fc.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace WHERE k.contype = 'f' AND ${userSchemas} AND NOT ${userSchemas.replaceAll('n.nspname', 'fn.nspname')} ${byName}, k.conname COLLATE "C"`);
    const { keys, deferrable } = await one<{ keys: number; deferrable: number }>(client, `
      SELECT count(*)::int AS keys, count(*) FILTER (WHERE k.condeferrable)::int AS deferrable FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.conparentid = 0 AND ${userSchemas}`);
    const open = await rows<Relation & { constraint: string }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, k.conname AS constraint FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT k.convalidated AND k.contype <> 'n' AND ${userSchemas} ${byName}, k.conname COLLATE "C"`);
    return [
      ...found({
        id: 'foreign-keys-outside', grade: 'refuse', title: 'Foreign keys point at tables that are not replicated.', objects: outside.map((key) => `${label(key)}.${key.constraint} to ${key.target}`),
        reason: 'A replicated TRUNCATE would fail for them, and their rows on the candidate point at nothing.',
        mend: statements(outside.map((key) => `ALTER TABLE ${qualified(key)} DROP CONSTRAINT ${ident(key.constraint)};`)),
      }),
      ...found({
        id: 'constraints-not-validated', grade: 'info', title: 'Constraints are not validated.', objects: open.map((key) => `${label(key)}.${key.constraint}`),
        reason: 'Old rows may break them; verify cannot hold the candidate to more than the live database keeps.',
        mend: statements(open.map((key) => `ALTER TABLE ${qualified(key)} VALIDATE CONSTRAINT ${ident(key.constraint)};`)),
      }),
      ...found({
        id: 'foreign-keys', grade: 'info', title: `${count(keys, 'foreign key')}, ${deferrable} of them deferrable.`, objects: keys > 0 ? [`${keys} in all`] : [],
        reason: 'Apply does not check foreign keys; verify does, for the whole of the candidate.', mend: nothing,
      }),
    ];
  },
};

/** An index build that failed leaves its index behind; `_ccnew` and `_ccold` are REINDEX CONCURRENTLY's. Docs: REINDEX. */
export const invalidIndexes: Check = {
  id: 'invalid-indexes', hazards: [], title: 'invalid indexes', on: 'both', when: everyGate, findings: { 'invalid-indexes': 'warn' },
  run: async (client) => {
    const indexes = await rows<Relation & { index: string }>(client, `
      SELECT n.nspname AS schema, c.relname AS name, x.relname AS index FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class x ON x.oid = i.indexrelid
      WHERE NOT i.indisvalid AND c.relkind IN ('r', 'm') AND ${userSchemas} ${byName}, x.relname COLLATE "C"`);
    return found({
      id: 'invalid-indexes', grade: 'warn', title: 'Indexes are invalid.', objects: indexes.map(({ schema, index, name }) => `${schema}.${index} on ${name}`),
      reason: 'No query uses them, a unique one guards nothing, and every write still pays for them; the copy inherits them.',
      mend: statements(indexes.map(({ schema, index }) => (/_cc(new|old)\d*$/.test(index) ? `DROP INDEX ${ident(schema, index)};` : `REINDEX INDEX ${ident(schema, index)};`))),
    });
  },
};

/** Hazard 25. reltuples is -1 until the first ANALYZE or VACUUM, and after pg_upgrade. Docs: pg_class; pg_upgrade, Statistics. */
export const statisticsMissing: Check = {
  id: 'statistics', hazards: [25], title: "the planner's statistics", on: 'candidate', when: ['switch'], findings: { 'statistics-missing': 'warn' },
  run: async (client) => {
    const tables = await rows<Relation>(client, `
      SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.reltuples < 0 AND pg_relation_size(c.oid) > 0 AND ${userSchemas} ${byName}`);
    return found({
      id: 'statistics-missing', grade: 'warn', title: 'Tables were never analyzed.', objects: tables.map(label),
      reason: 'Without statistics the first queries after the switchover get bad plans, all at once.', mend: statements(tables.map((table) => `ANALYZE ${qualified(table)};`)),
    });
  },
};
