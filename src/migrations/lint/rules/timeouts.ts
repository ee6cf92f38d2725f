import { as, constant, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { Drafts, LintRule } from '../rule.ts';
import type { Statement } from '../statement.ts';

/** What the statement sets a parameter to; undefined where it does not touch it. */
function setting(statement: Statement, parameter: string): string | undefined {
  if (statement.tag === 'VariableSetStmt') {
    const node = statement.fields as Of<'VariableSetStmt'>;
    if (node.kind === 'VAR_RESET_ALL' || (node.name === parameter && node.kind !== 'VAR_SET_VALUE')) return '0';
    return node.name === parameter ? (constant(node.args?.[0]) ?? '') : undefined;
  }
  if (statement.tag !== 'SelectStmt') return undefined;
  const call = as(as((statement.fields as Of<'SelectStmt'>).targetList?.[0], 'ResTarget')?.val, 'FuncCall');
  return constant(call?.args?.[0]) === parameter ? constant(call?.args?.[1]) : undefined;
}

const unlimited = /^0+(?:\s*[a-z]+)?$/i;

const waiting = new Set([
  'AlterTableStmt',
  'IndexStmt',
  'DropStmt',
  'TruncateStmt',
  'CreateTrigStmt',
  'RenameStmt',
  'RuleStmt',
  'CreatePolicyStmt',
  'ClusterStmt',
  'RefreshMatViewStmt',
  'LockStmt',
  'AlterObjectSchemaStmt',
]);

function missing(context: LintContext, parameter: string, message: (what: string) => string): Drafts {
  let set = context.config.timeouts === 'runner';
  for (const statement of context.statements) {
    const value = setting(statement, parameter);
    if (value !== undefined) {
      set = !unlimited.test(value);
      if (!set)
        return {
          message: `${parameter} is switched off here, and what follows may wait for ever.`,
          range: statement.range,
        };
    } else if (!set && waiting.has(statement.tag) && !onNewTable(statement, context)) {
      return {
        message: message(statement.text.split(/\s+/).slice(0, 3).join(' ')),
        range: statement.range,
        fix: `SET LOCAL ${parameter} = '${parameter === 'lock_timeout' ? '5s' : '15min'}';`,
      };
    }
  }
  return undefined;
}

/** By the end of the file a table made in it is known. */
function onNewTable(statement: Statement, context: LintContext): boolean {
  const { relation } = statement.fields as { relation?: Of<'RangeVar'> };
  return relation !== undefined && context.isNew(relation);
}

export const lockTimeout: LintRule = {
  id: 'missing-lock-timeout',
  title: 'No lock_timeout',
  severity: 'warning',
  category: 'safety',
  where: 'live',
  why:
    'A statement that waits for ACCESS EXCLUSIVE is first in the queue, and every query that comes after it ' +
    'waits behind it: one long report can stop a whole system. A lock_timeout lets the queue continue.',
  instead:
    "SET LOCAL lock_timeout = '5s' at the top, and run the migration again if it times out. Verdigris's runner " +
    'does both; `timeouts: file` says that yours does not.',
  bad: '-- configuration: timeouts: file\nALTER TABLE t ADD COLUMN n integer;',
  good: "SET LOCAL lock_timeout = '5s';\nALTER TABLE t ADD COLUMN n integer;",
  file: (context) =>
    missing(
      context,
      'lock_timeout',
      (what) => `${what} … may wait for its lock without end, and everybody else behind it.`,
    ),
};

export const statementTimeout: LintRule = {
  id: 'missing-statement-timeout',
  title: 'No statement_timeout',
  severity: 'info',
  category: 'safety',
  where: 'live',
  why: 'A statement that turns out to run for hours holds its locks for hours.',
  instead: 'SET LOCAL statement_timeout to what the statement may take at most.',
  bad: '-- configuration: timeouts: file\nALTER TABLE t ADD COLUMN n integer;',
  good: "SET LOCAL statement_timeout = '15min';\nALTER TABLE t ADD COLUMN n integer;",
  file: (context) =>
    missing(context, 'statement_timeout', (what) => `${what} … may run, and hold its locks, without end.`),
};

export const timeoutRules: readonly LintRule[] = [lockTimeout, statementTimeout];
