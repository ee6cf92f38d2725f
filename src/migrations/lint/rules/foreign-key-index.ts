import type { Constraint } from 'libpg-query';
import { all, as, type Name, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { derivedName, plainTable } from '../names.ts';
import type { Draft, LintRule } from '../rule.ts';
import type { Statement } from '../statement.ts';
import { constraintColumns, list } from './help.ts';

export const foreignKeyIndex: LintRule = {
  id: 'foreign-key-without-index',
  title: 'A foreign key without an index on its columns',
  severity: 'info',
  category: 'safety',
  where: 'both',
  why:
    'PostgreSQL indexes the key that is referred to, not the columns that refer. Each DELETE of a referenced row, and ' +
    'each UPDATE of its key, reads the whole referring table to see that nobody refers to it.',
  instead: 'An index that begins with the columns, made before the key; none where the other table never loses a row.',
  bad: 'ALTER TABLE k ADD CONSTRAINT k_lone FOREIGN KEY (e) REFERENCES lone (id) NOT VALID;',
  good:
    '-- verdigris: no-transaction\nCREATE INDEX CONCURRENTLY k_e ON k (e);\n' +
    'ALTER TABLE k ADD CONSTRAINT k_lone FOREIGN KEY (e) REFERENCES lone (id) NOT VALID;',
  // At the end of the file: the index is often made after the key.
  *file(context) {
    for (const statement of context.statements) yield* uncovered(statement, context);
  },
};

function* uncovered(statement: Statement, context: LintContext): Generator<Draft> {
  const node = statement.fields as Of<'CreateStmt'> & Of<'AlterTableStmt'>;
  if (statement.tag !== 'CreateStmt' && statement.tag !== 'AlterTableStmt') return;
  const table = context.name(node.relation);
  for (const { constraint, columns } of foreignKeys(node)) {
    if (!isKnown(context, table, columns) || isCovered(context, table, columns)) continue;
    const index = derivedName([table.name, ...columns], 'idx');
    yield {
      message: `No index begins with ${columns.join(', ')} of ${table.name}: a DELETE in ${constraint.pktable?.relname ?? ''} reads all of it.`,
      range: statement.at(constraint.location),
      table,
      fix: `CREATE INDEX CONCURRENTLY ${index} ON ${plainTable(table)} (${list(columns)});`,
    };
  }
}

function foreignKeys(node: Of<'CreateStmt'> & Of<'AlterTableStmt'>): { constraint: Constraint; columns: string[] }[] {
  const parts = [...(node.tableElts ?? []), ...all(node.cmds, 'AlterTableCmd').flatMap(({ def }) => def ?? [])];
  return parts.flatMap((part) => {
    const column = as(part, 'ColumnDef');
    const constraints = column ? all(column.constraints, 'Constraint') : all([part], 'Constraint');
    return constraints
      .filter(({ contype }) => contype === 'CONSTR_FOREIGN')
      .map((constraint) => ({ constraint, columns: constraintColumns(constraint, column?.colname) }));
  });
}

/** All its indexes have been seen: since its CREATE, or since the columns came. A table that is gone again has none. */
function isKnown({ schema }: LintContext, table: Name, columns: readonly string[]): boolean {
  const fact = schema.table(table);
  return fact !== undefined && (fact.complete || columns.some((column) => schema.isNewColumn(table, column)));
}

function isCovered({ schema }: LintContext, table: Name, columns: readonly string[]): boolean {
  const keys = [...(schema.table(table)?.constraints.values() ?? [])].filter(({ kind }) =>
    ['primary', 'unique', 'exclusion'].includes(kind),
  );
  const indexes = [...schema.indexes.of(table)].filter((index) => index.key.when === undefined);
  return [...keys, ...indexes].some((one) => {
    const first = one.columns.slice(0, columns.length);
    return columns.every((column) => first.includes(column));
  });
}
