import type { Node } from 'libpg-query';
import { as, type Of } from '../ast.ts';
import { outsideTransaction } from '../../outside-transaction.ts';
import { ownTransactions } from '../../own-transactions.ts';
import type { LintRule } from '../rule.ts';
import { forbiddenBy } from './help.ts';
import type { Statement } from '../statement.ts';

const controls: Partial<Record<NonNullable<Of<'TransactionStmt'>['kind']>, string>> = {
  TRANS_STMT_BEGIN: 'BEGIN',
  TRANS_STMT_START: 'START TRANSACTION',
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION',
  TRANS_STMT_COMMIT_PREPARED: 'COMMIT PREPARED',
  TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
};

function isControl({ node }: { readonly node: Node }): boolean {
  return controls[as(node, 'TransactionStmt')?.kind ?? 'TRANS_STMT_SAVEPOINT'] !== undefined;
}

function ownNodes(statements: readonly Statement[]): readonly Node[] {
  return statements.filter(({ nested }) => !nested).map(({ node }) => node);
}

export const transactionControl: LintRule = {
  id: 'transaction-control',
  title: "The migration ends the runner's transaction",
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    'The runner writes a migration and its record of it in one transaction. A COMMIT inside ends it: after a ' +
    'later failure half of the migration is applied but not recorded, and most tools run it again. Verdigris keeps ' +
    'plain pairs of BEGIN and COMMIT apart, writes down each with its work, and goes on behind the last; what it ' +
    'cannot keep so is an error. A prepared transaction blocks replication until somebody resolves it.',
  instead:
    'Leave BEGIN and COMMIT to the runner, or put them around the whole file. What has to be apart goes into files ' +
    'of their own.',
  bad: 'BEGIN;\nALTER TABLE t ADD COLUMN n integer;\nCOMMIT;\nBEGIN;\nALTER TABLE t ADD COLUMN m integer;',
  good: 'ALTER TABLE t ADD COLUMN n integer, ADD COLUMN m integer;',
  check: {
    ...forbiddenBy('transaction-control'),
    TransactionStmt: (node, context) => {
      const word = controls[node.kind ?? 'TRANS_STMT_SAVEPOINT'];
      const prepared = node.kind === 'TRANS_STMT_PREPARE';
      if (word === undefined || (!prepared && context.before.some(isControl))) return undefined;
      if (prepared)
        return { message: 'A prepared transaction blocks seeding, apply and the switchover until it is resolved.' };
      const own = ownTransactions(ownNodes(context.statements));
      if ('why' in own)
        return { message: `${word} takes the transaction out of the runner's hands: a statement ${own.why}.` };
      return {
        message: own.whole
          ? 'The whole file is one transaction by its own words, which Verdigris keeps; another runner may not.'
          : 'The file has transactions of its own, which Verdigris keeps: after a failure those before it stay, and a ' +
            'run goes on behind them; another runner may not.',
        severity: 'info' as const,
      };
    },
  },
};

export const halfApplied: LintRule = {
  id: 'half-applied',
  title: 'A file that cannot be undone as a whole',
  severity: 'info',
  category: 'reversibility',
  where: 'both',
  why: 'One of its statements cannot run in a transaction, so the whole file runs without one: a failure in the middle leaves what was done before.',
  instead: 'Put the statement into a file of its own.',
  bad: 'CREATE INDEX CONCURRENTLY t_a_idx ON t (a);\nALTER TABLE t ADD COLUMN n integer;',
  good: 'CREATE INDEX CONCURRENTLY t_a_idx ON t (a);',
  file: (context) => {
    const working = context.statements.filter((one) => !one.nested && one.tag !== 'VariableSetStmt');
    const outside = working.find(({ node }) => outsideTransaction(node));
    const other = working.some(({ node }) => !outsideTransaction(node));
    if (!outside || !other || context.config.transaction === 'per-file') return undefined;
    return { message: 'This statement makes the whole file run without a transaction.', range: outside.range };
  },
};

export const transactionRules: readonly LintRule[] = [transactionControl, halfApplied];
