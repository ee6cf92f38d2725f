import { all } from '../ast.ts';
import type { LintRule } from '../rule.ts';
import { concurrently } from './help.ts';

export const refresh: LintRule = {
  id: 'refresh-materialized-view',
  title: 'REFRESH without CONCURRENTLY',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'Readers of the view wait until its query has run and its rows are written.',
  instead: 'REFRESH … CONCURRENTLY, which needs a unique index on the view and lets readers go on.',
  bad: 'REFRESH MATERIALIZED VIEW mv;',
  good: 'REFRESH MATERIALIZED VIEW CONCURRENTLY mv;',
  check: {
    RefreshMatViewStmt: (node, context) =>
      node.concurrent === true || context.isNew(node.relation)
        ? undefined
        : {
            message: `Readers of ${node.relation?.relname ?? ''} wait for the refresh.`,
            table: context.name(node.relation),
            fix: concurrently(context.statement.text, /^REFRESH\s+MATERIALIZED\s+VIEW\b/i),
          },
  },
};

export const moveStorage: LintRule = {
  id: 'move-storage',
  title: 'A table is moved to another tablespace or access method',
  severity: 'warning',
  category: 'rewrite',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'rewrite',
  why: 'The table is copied whole under ACCESS EXCLUSIVE. A tablespace on another volume also leaves the snapshot that candidates are made from.',
  instead: 'pg_repack on a live database; on a candidate, before the switchover.',
  bad: 'ALTER TABLE t SET TABLESPACE fast;',
  good: 'ALTER TABLE t SET (autovacuum_enabled = true);',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_SetTableSpace' || command.subtype === 'AT_SetAccessMethod'
        ? { message: `${context.table.name} is copied whole.`, range: context.command, table: context.table }
        : undefined,
    AlterTableStmt: (node, context) => {
      const [index, name] = [node.objtype === 'OBJECT_INDEX', context.name(node.relation)];
      const moved = all(node.cmds, 'AlterTableCmd').some(({ subtype }) => subtype === 'AT_SetTableSpace');
      if (!moved || !(index || node.objtype === 'OBJECT_MATVIEW') || context.isNew(node.relation)) return undefined;
      // An index is no table: the report has no size for it.
      return { message: `${name.name} is copied whole.`, ...(index ? {} : { table: name }) };
    },
    AlterTableMoveAllStmt: (node) => ({ message: `Everything in ${node.orig_tablespacename ?? ''} is copied.` }),
  },
};

export const copyRules: readonly LintRule[] = [refresh, moveStorage];
