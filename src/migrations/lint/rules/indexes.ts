import { all, nameOfParts, option, strings, type Name } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { insertAfter, isAlone, replaceIn } from '../edits.ts';
import type { Edit } from '../finding.ts';
import { reindexesConcurrently } from '../../outside-transaction.ts';
import type { LintRule } from '../rule.ts';
import { concurrently } from './help.ts';

const createWords = /^CREATE\s+(?:UNIQUE\s+)?INDEX\b/i;
const dropWords = /^DROP\s+INDEX\b/i;
const reindexWords = /^REINDEX\s+(?:\([^)]*\)\s+)?(?:TABLE|INDEX|SCHEMA|DATABASE)\b/i;

/**
 * Where nothing else shares the transaction, and the table is known to be none that is partitioned, which PostgreSQL
 * refuses.
 */
function becomesConcurrent(context: LintContext, table: Name | undefined, words: RegExp): Edit | undefined {
  const known = table && context.schema.table(table);
  const plain = known?.complete === true && (known.kind === 'table' || known.kind === 'materialized view');
  return plain && isAlone(context) ? insertAfter(context, words, ' CONCURRENTLY') : undefined;
}

export const createIndex: LintRule = {
  id: 'create-index-blocking',
  title: 'Index built without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'SHARE',
  work: 'index',
  why: 'Writes to the table wait until the index is built. On a candidate only the apply worker waits, and catches up afterwards.',
  instead:
    'CREATE INDEX CONCURRENTLY, outside a transaction. Where it fails it leaves an invalid index: drop that ' +
    'and repeat. On a partitioned table, build it on each partition and attach.',
  bad: 'CREATE INDEX t_a_idx ON t (a);',
  good: 'CREATE INDEX CONCURRENTLY t_a_idx ON t (a);',
  check: {
    IndexStmt: (node, context) => {
      if (node.concurrent === true || context.isNew(node.relation)) return undefined;
      const partitioned = context.fact(node.relation)?.kind === 'partitioned';
      // ON ONLY a partitioned table nothing is built.
      if (partitioned && node.relation?.inh !== true) return undefined;
      const fix = partitioned ? {} : { fix: concurrently(context.statement.text, createWords) };
      return {
        message: `Writes to ${node.relation?.relname ?? ''} wait until the index is built.`,
        table: context.name(node.relation),
        ...fix,
        edit: becomesConcurrent(context, context.name(node.relation), createWords),
      };
    },
  },
};

export const dropIndex: LintRule = {
  id: 'drop-index-blocking',
  title: 'Index dropped without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  why:
    'It takes ACCESS EXCLUSIVE on the table. The drop is quick, but it waits for the longest running query, ' +
    'and all later queries wait for it.',
  instead:
    'DROP INDEX CONCURRENTLY, outside a transaction. Check first that no statement of the live release needs the index.',
  bad: 'DROP INDEX t_b_idx;',
  good: 'DROP INDEX CONCURRENTLY t_b_idx;',
  check: {
    DropStmt: (node, context) => {
      if (node.removeType !== 'OBJECT_INDEX' || node.concurrent === true) return undefined;
      const names = (node.objects ?? []).map((object) => nameOfParts(strings(object), context.schema.defaultSchema));
      const old = names.filter((name) => !context.schema.isNew(name));
      const [first] = old;
      if (!first) return undefined;
      const table = context.schema.indexes.get(first)?.table;
      const fix = names.length === 1 ? { fix: concurrently(context.statement.text, dropWords) } : {};
      return {
        message: `The table of ${old.map((name) => name.name).join(', ')} is locked for readers and writers.`,
        ...(table ? { table } : {}),
        ...fix,
        // CASCADE is refused with CONCURRENTLY, and several indexes are.
        edit:
          names.length === 1 && node.behavior !== 'DROP_CASCADE'
            ? becomesConcurrent(context, table, dropWords)
            : undefined,
      };
    },
  },
};

export const reindex: LintRule = {
  id: 'reindex-blocking',
  title: 'REINDEX without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'SHARE',
  work: 'index',
  why: 'Writes to the table wait until all its indexes are rebuilt, and reads that would use one of them wait too.',
  instead: 'REINDEX … CONCURRENTLY, outside a transaction.',
  bad: 'REINDEX TABLE t;',
  good: 'REINDEX TABLE CONCURRENTLY t;',
  check: {
    ReindexStmt: (node, context) => {
      if (reindexesConcurrently(node) || (node.relation && context.isNew(node.relation))) return undefined;
      // PostgreSQL reindexes system catalogues under lock only.
      const fix =
        node.kind === 'REINDEX_OBJECT_SYSTEM'
          ? {}
          : {
              fix: concurrently(context.statement.text, reindexWords),
            };
      const table: { readonly table?: Name } =
        node.kind === 'REINDEX_OBJECT_TABLE' ? { table: context.name(node.relation) } : {};
      return {
        message: `Writes wait while ${node.relation?.relname ?? node.name ?? 'the database'} is reindexed.`,
        ...table,
        ...fix,
        edit: node.kind === 'REINDEX_OBJECT_TABLE' ? becomesConcurrent(context, table.table, reindexWords) : undefined,
      };
    },
  },
};

export const invalidLeft: LintRule = {
  id: 'concurrent-index-if-not-exists',
  title: 'IF NOT EXISTS takes an invalid index for a good one',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why:
    'A CREATE INDEX CONCURRENTLY that failed leaves an invalid index of that name. The second run finds the ' +
    'name, does nothing and reports success, and queries go on without an index.',
  instead: 'DROP INDEX CONCURRENTLY IF EXISTS first, then CREATE INDEX CONCURRENTLY without IF NOT EXISTS.',
  bad: 'CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a_idx ON t (a);',
  good: 'DROP INDEX CONCURRENTLY IF EXISTS t_a_idx;\nCREATE INDEX CONCURRENTLY t_a_idx ON t (a);',
  check: {
    IndexStmt: (node, context) => {
      if (node.concurrent !== true || node.if_not_exists !== true) return undefined;
      const fix = `DROP INDEX CONCURRENTLY IF EXISTS ${node.idxname ?? ''};\n${context.statement.text.replace(/\s+IF\s+NOT\s+EXISTS\b/i, '')};`;
      const edit = replaceIn(context, /\s+IF\s+NOT\s+EXISTS\b/i, '');
      return {
        message: `An invalid ${node.idxname ?? 'index'} of an attempt that failed would count as done.`,
        fix,
        edit,
      };
    },
  },
};

export const wideIndex: LintRule = {
  id: 'wide-index',
  title: 'Index on more than three columns',
  severity: 'info',
  category: 'safety',
  where: 'both',
  off: true,
  why: 'An index on many columns is large, slows every write and seldom serves more than its first columns.',
  instead: 'Index the columns that narrow the search most, and INCLUDE the others where an index-only scan is wanted.',
  bad: 'CREATE INDEX CONCURRENTLY wide ON t (a, b, c, d);',
  good: 'CREATE INDEX CONCURRENTLY narrow ON t (a, b) INCLUDE (c);',
  check: {
    IndexStmt: (node) =>
      node.unique !== true && (node.indexParams?.length ?? 0) > 3
        ? { message: `${node.indexParams?.length} columns in one index.` }
        : undefined,
  },
};

export const cluster: LintRule = {
  id: 'cluster',
  title: 'CLUSTER rewrites the table',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'The table and its indexes are rewritten in index order while nobody may read or write.',
  instead: 'Do it on the candidate, before the switchover; or use pg_repack on a live database.',
  bad: 'CLUSTER t USING t_pkey;',
  good: 'ALTER TABLE t CLUSTER ON t_pkey;',
  remedy: false,
  check: {
    ClusterStmt: (node, context) =>
      node.relation && context.isNew(node.relation)
        ? undefined
        : {
            message: `${node.relation?.relname ?? 'Every clustered table'} is rewritten.`,
            ...(node.relation ? { table: context.name(node.relation) } : {}),
          },
  },
};

export const vacuumFull: LintRule = {
  id: 'vacuum-full',
  title: 'VACUUM FULL rewrites the table',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'The table is copied under ACCESS EXCLUSIVE, which needs as much free disk as the table uses.',
  instead: 'Do it on the candidate, before the switchover; plain VACUUM, or pg_repack, on a live database.',
  bad: 'VACUUM FULL t;',
  good: 'VACUUM t;',
  check: {
    VacuumStmt: (node, context) => {
      if (option(node.options, 'full') === undefined) return undefined;
      const relation = all(node.rels, 'VacuumRelation')[0]?.relation;
      return {
        message: `${relation?.relname ?? 'Every table'} is rewritten.`,
        ...(relation ? { table: context.name(relation) } : {}),
      };
    },
  },
};

export const indexRules: readonly LintRule[] = [
  createIndex,
  dropIndex,
  reindex,
  invalidLeft,
  wideIndex,
  cluster,
  vacuumFull,
];
