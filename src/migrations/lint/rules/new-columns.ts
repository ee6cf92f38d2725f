import { columnFact, type Atom } from '../../shapes/formula.ts';
import type { Name } from '../ast.ts';
import { AlterContext, type LintContext } from '../context.ts';
import { fillingOf, type Filling } from '../learn-table.ts';
import { addedColumn } from './add-column.ts';

/**
 * What rows of the live release hold in a column that this release adds, in an earlier statement or beside the command
 * at hand; undefined where the live release knows the column, or it has no name.
 */
export function newColumn(context: LintContext, table: Name, column: string | undefined): Filling | undefined {
  if (column === undefined) return undefined;
  const commands = context instanceof AlterContext ? context.commands : [];
  const beside = commands.map(addedColumn).find((added) => added?.name === column);
  if (beside) return fillingOf(beside.column);
  return context.schema.isNewColumn(table, column) ? context.schema.column(table, column) : undefined;
}

/** The live release leaves the column null; nulls differ from each other. */
export function staysNull(context: LintContext, table: Name, column: string | undefined): boolean {
  return newColumn(context, table, column)?.hasDefault === false;
}

/** No two rows of the live release share a value of the column. */
export function isDrawnHere(context: LintContext, table: Name, column: string | undefined): boolean {
  return newColumn(context, table, column)?.drawn === true;
}

/** Those columns of a condition whose value in rows of the live release is known. */
export function knownValues(context: LintContext, table: Name, columns: readonly string[]): Atom[] {
  return columns.flatMap((column) => {
    const filling = newColumn(context, table, column);
    if (!filling || (filling.hasDefault && filling.constant === undefined)) return [];
    return [columnFact(column, filling.constant)];
  });
}
