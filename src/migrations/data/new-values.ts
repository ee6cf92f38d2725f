import { label, type Table } from '../../postgres/catalogue.ts';
import type { AddedValue } from '../engines/sql/parse.ts';
import { as, walk, type Of } from '../lint/ast.ts';
import { tryParse } from '../lint/parse.ts';
import { fits } from './judge.ts';
import type { DataStatement } from './read.ts';

/** Of `added`, the values of enums that a statement writes into rows which the live colour has too. */
export function newValuesWritten(
  text: string,
  data: DataStatement,
  added: readonly AddedValue[],
  live: readonly Table[],
): AddedValue[] {
  const possible = added.filter(({ type }) => live.some((table) => mayHold(data, table, type, 'as it sets')));
  if (possible.length === 0) return [];
  const opaque = ({ value }: AddedValue): boolean => text.includes(`'${value.replaceAll("'", "''")}'`);
  if (data.opaque) return possible.filter(opaque);
  const parsed = tryParse(text);
  const written = new Set('statements' in parsed ? writtenTexts(parsed.statements) : []);
  return possible.filter(({ value }) => written.has(value));
}

/** Whether a statement is of a table with a column of the type, or of arrays of it. */
export function mayHold({ targets }: DataStatement, table: Table, type: string, columns?: 'as it sets'): boolean {
  const ofType = table.columns.filter(({ baseType }) =>
    [type, `_${type}`].includes(baseType.slice(baseType.indexOf('.') + 1)),
  );
  return targets.some(
    (target) =>
      fits(target, label(table)) &&
      ofType.some(({ name }) => columns === undefined || target.columns?.includes(name) !== false),
  );
}

/** Texts in what becomes of rows: those of conditions are compared only. */
function writtenTexts(nodes: unknown): string[] {
  const values = [...walk(nodes)].flatMap(([tag, fields]): unknown[] => {
    if (tag === 'UpdateStmt') return [(fields as Of<'UpdateStmt'>).targetList];
    if (tag === 'MergeWhenClause') {
      const { targetList, values: given } = fields as Of<'MergeWhenClause'>;
      return [targetList, given];
    }
    if (tag !== 'InsertStmt') return [];
    const { selectStmt, onConflictClause } = fields as Of<'InsertStmt'>;
    const select = as(selectStmt, 'SelectStmt');
    return [select?.valuesLists, select?.targetList, onConflictClause?.targetList];
  });
  return [...walk(values)].flatMap(([tag, fields]) => {
    const text = tag === 'A_Const' ? (fields as Of<'A_Const'>).sval?.sval : undefined;
    return text === undefined ? [] : [text];
  });
}
