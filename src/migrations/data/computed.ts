import type { Node } from 'libpg-query';
import { label, type Table } from '../../postgres/catalogue.ts';
import { all, as, fieldsOf, strings, tagOf, walk, type Of } from '../lint/ast.ts';
import { fits } from './judge.ts';
import { cannotBeHeld } from './refusals.ts';
import type { NamedRelation } from './read.ts';
import type { FromFile } from './statement.ts';

/** A table whose rows a change of type computes again: other values than the ones that replication goes on bringing. */
export interface Computed extends NamedRelation {
  readonly column: string;
}

/** Calls that give the value that it had: what replication brings as text is read as the same. */
const keeping: ReadonlySet<string> = new Set(['timezone', 'to_json', 'to_jsonb']);

export function computedBy(node: Node): Computed | undefined {
  if (tagOf(node) !== 'AlterTableStmt') return undefined;
  const { relation, cmds } = fieldsOf(node) as Of<'AlterTableStmt'>;
  const command = all(cmds, 'AlterTableCmd').find(({ subtype, name, def }) => {
    const using = subtype === 'AT_AlterColumnType' ? as(def, 'ColumnDef')?.raw_default : undefined;
    return using !== undefined && computes(using, name ?? '');
  });
  return command && { schema: relation?.schemaname, name: relation?.relname ?? '', column: command.name ?? '' };
}

/** Whether it is more than the column itself, cast. */
function computes(using: Node, column: string): boolean {
  return [...walk([using])].some(([tag, fields]) => {
    if (tag === 'FuncCall') return !keeping.has(strings((fields as Of<'FuncCall'>).funcname).at(-1) ?? '');
    if (tag === 'ColumnRef') return strings((fields as Of<'ColumnRef'>).fields).at(-1) !== column;
    return /^(A_Expr|BoolExpr|CaseExpr|CoalesceExpr|MinMaxExpr|SubLink)$/.test(tag);
  });
}

/** @throws VerdigrisError `data-statement-mixed` where the live colour has the column, and goes on sending its values. */
export function refuseComputed(
  statement: Pick<FromFile, 'file' | 'line' | 'text'> & { readonly computed?: Computed | undefined },
  live: readonly Table[],
): void {
  const { computed } = statement;
  const table =
    computed &&
    live.find((each) => fits(computed, label(each)) && each.columns.some(({ name }) => name === computed.column));
  if (!computed || !table) return;
  throw cannotBeHeld(
    statement,
    `its USING makes other values of ${computed.column} than replication goes on bringing; \`verdigris expand-contract change-type\` keeps both`,
    [label(table)],
  );
}
