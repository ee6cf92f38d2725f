import { relationOf, tableOfIndex } from '../shapes/of-table.ts';
import { tableShapes, unquoted } from '../shapes/rules.ts';
import type { SchemaObject } from '../../postgres/fingerprint/index.ts';
import { plain } from '../expand-contract/notes.ts';

/** Whether a part of a table goes with one of its columns. */
export function mentions({ kind, identity, definition }: SchemaObject, table: string, column: string): boolean {
  if (kind === 'column') return unquoted(identity.slice(relationOf(identity).length + 1)) === column;
  if (kind === 'sequence') return plain(/^owned by (.+)$/m.exec(definition)?.[1] ?? '') === `${table}.${column}`;
  if (kind !== 'constraint' && kind !== 'index') return false;
  const on = kind === 'index' ? (tableOfIndex(definition) ?? '') : identity.slice(identity.lastIndexOf(' on ') + 4);
  const shape = tableShapes([
    { kind: 'table', identity: on, definition: '' },
    { kind, identity, definition },
  ]).get(on);
  const keys = /^(?:PRIMARY KEY|UNIQUE)[^(]*\((.*?)\)/.exec(definition)?.[1]?.split(', ').map(unquoted) ?? [];
  return [...(shape?.checks ?? []), ...(shape?.uniques ?? []), ...(shape?.foreignKeys ?? []), { columns: keys }].some(
    ({ columns }) => columns.includes(column),
  );
}
