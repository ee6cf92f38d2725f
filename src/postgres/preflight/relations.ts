import { count } from '../../model/count.ts';
import { label } from '../catalogue.ts';
import { rows } from '../client.ts';
import { found, type Check } from './check.ts';
import { byName, userSchemas, type Relation } from './tables.ts';

const nothing = 'Nothing to do.';

export const partitions: Check = {
  id: 'partitioned-tables',
  hazards: [11],
  title: 'partitioned tables',
  on: 'live',
  when: ['seed'],
  findings: ['partitioned-tables'],
  run: async (client) => {
    const roots = await rows<Relation & { partitions: number }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, (SELECT count(*) FROM pg_partition_tree(c.oid) t WHERE t.isleaf)::int AS partitions
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND NOT c.relispartition AND ${userSchemas} ${byName}`,
    );
    return found('partitioned-tables', {
      objects: roots.map((root) => `${label(root)}: ${count(root.partitions, 'partition')}`),
      reason:
        'They are published as their root, so both colours may split differently; but a row needs a partition ' +
        'there, so make those that fall due before seeding.',
      fix: nothing,
    });
  },
};

/** Old-style inheritance: children are tables of their own to replication. */
export const inheritance: Check = {
  id: 'inherited-tables',
  hazards: [11],
  title: 'inherited tables',
  on: 'live',
  when: ['seed'],
  findings: ['inherited-tables'],
  run: async (client) => {
    const children = await rows<Relation & { parent: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, i.inhparent::regclass::text AS parent FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT c.relispartition AND c.relkind = 'r' AND ${userSchemas} ${byName}`,
    );
    return found('inherited-tables', {
      objects: children.map((child) => `${label(child)} from ${child.parent}`),
      reason: 'Each is replicated separately. Keys do not cover children, so each child needs its own.',
      fix: nothing,
    });
  },
};

export const materializedViews: Check = {
  id: 'materialized-views',
  hazards: [9],
  title: 'materialized views',
  on: 'live',
  when: ['seed'],
  findings: ['materialized-views'],
  run: async (client) => {
    const views = await rows<Relation & { megabytes: number; populated: boolean }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, round(pg_total_relation_size(c.oid) / 1048576.0, 1)::float8 AS megabytes, c.relispopulated AS populated
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND ${userSchemas} ${byName}`,
    );
    const size = Math.round(views.reduce((sum, { megabytes }) => sum + megabytes, 0));
    return found('materialized-views', {
      title: `${count(views.length, 'materialized view')}, ${count(size, 'megabyte')} in all`,
      objects: views.map((view) => `${label(view)}: ${view.megabytes} MB${view.populated ? '' : ', not populated'}`),
      reason:
        'They are not replicated and go stale on the candidate; Verdigris refreshes them before it verifies, which takes as long as their queries.',
      fix: nothing,
    });
  },
};

/** Tables that an extension made are the user's data to replication, and the extension's to pg_dump. */
export const extensionTables: Check = {
  id: 'extension-tables',
  hazards: [27, 35],
  title: 'tables of extensions',
  on: 'live',
  when: ['seed'],
  findings: ['extension-tables'],
  run: async (client) => {
    const tables = await rows<Relation & { extension: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, e.extname AS extension FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid WHERE c.relkind IN ('r', 'p') AND ${userSchemas} ${byName}`,
    );
    return found('extension-tables', {
      objects: tables.map((table) => `${label(table)} of ${table.extension}`),
      reason:
        'They are published like others; ALTER EXTENSION UPDATE on the candidate may change them, which then counts as a difference.',
      fix: nothing,
    });
  },
};
