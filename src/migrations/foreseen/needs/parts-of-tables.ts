import { all, as, type Of } from '../../lint/ast.ts';
import type { ForeseenSchema } from '../schema.ts';
import type { StatementNeed } from './need.ts';

/** Columns and constraints that have to be there, or must not, of a table that is the live colour's still. */
export function alterNeeds(schema: ForeseenSchema, { relation, cmds }: Of<'AlterTableStmt'>): StatementNeed[] {
  const table = schema.find(relation);
  const known = table === undefined ? undefined : schema.table(table);
  if (table === undefined || !known || !schema.isThere(table)) return [];
  const has = (name: string): boolean => known.columns.some((column) => column.name === name);
  const needs: StatementNeed[] = [];
  // What goes goes first, whatever the order of the commands, and may take others along.
  const drops = all(cmds, 'AlterTableCmd').some(({ subtype }) => /^AT_Drop(?:Column|Constraint)$/.test(subtype ?? ''));
  const made = new Set<string>();
  for (const { subtype = '', name = '', missing_ok: fine = false, def } of all(cmds, 'AlterTableCmd')) {
    const [column, constraint] = [as(def, 'ColumnDef')?.colname ?? '', as(def, 'Constraint')?.conname];
    if (subtype === 'AT_AddColumn') {
      if (!fine && !drops && has(column)) needs.push(partOf(schema, table, columns, column, false));
      made.add(column);
    } else if (ofColumn.has(subtype) && !fine && !has(name) && !made.has(name))
      needs.push(partOf(schema, table, columns, name, true));
    else if (subtype === 'AT_AddConstraint' && constraint !== undefined) {
      if (!drops && schema.object('constraint', `${constraint} on ${table}`))
        needs.push(partOf(schema, table, constraints, constraint, false));
      made.add(constraint);
    } else if (subtype === 'AT_DropConstraint' && !fine && !made.has(name)) {
      if (!schema.object('constraint', `${name} on ${table}`))
        needs.push(partOf(schema, table, constraints, name, true));
    }
  }
  return needs;
}

const ofColumn = new Set(
  ['DropColumn', 'AlterColumnType', 'ColumnDefault', 'SetNotNull', 'DropNotNull', 'DropExpression'].map(
    (kind) => `AT_${kind}`,
  ),
);

export function columnRenamed(
  schema: ForeseenSchema,
  { renameType, relation, subname = '' }: Of<'RenameStmt'>,
): StatementNeed[] {
  const table = renameType === 'OBJECT_COLUMN' ? schema.find(relation) : undefined;
  const known = table === undefined ? undefined : schema.table(table);
  if (table === undefined || !known || !schema.isThere(table)) return [];
  return known.columns.some(({ name }) => name === subname) ? [] : [partOf(schema, table, columns, subname, true)];
}

interface Kind {
  readonly word: string;
  /** Behind `SELECT`: of the table c, by the name in `$3`. */
  readonly found: string;
}

const columns: Kind = {
  word: 'column',
  found: 'FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped',
};
const constraints: Kind = {
  word: 'constraint',
  found: 'FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = $3',
};

/** With its parents a table changes, with a column its constraints. */
function partOf(
  schema: ForeseenSchema,
  table: string,
  { word, found }: Kind,
  part: string,
  there: boolean,
): StatementNeed {
  const [, place = '', name = ''] = /^([^.]*)\.(.*)$/s.exec(table) ?? [];
  const parents = schema.parentsOf(table);
  const gone = word === 'constraint' && !there ? [name] : [];
  return {
    holds: `NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND ${there ? 'NOT ' : ''}EXISTS (SELECT ${found}))`,
    values: [place, name, part],
    names: [part, ...parents, ...gone],
    apart: parents.length + gone.length > 0,
    ...(there ? {} : { free: true }),
    lacking: `${word} "${part}" of relation "${table}" ${there ? 'does not exist' : 'already exists'}`,
  };
}
