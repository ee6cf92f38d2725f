import { label } from '../../postgres/catalogue.ts';
import type { SchemaKind } from '../../postgres/fingerprint/index.ts';
import { plain } from '../expand-contract/notes.ts';
import { relationOf } from '../shapes/of-table.ts';
import { changedColumn } from './printed-column.ts';
import { mentions } from './mentions.ts';
import { ForeseenNames } from './names.ts';

const inSchemas: ReadonlySet<string> = new Set(['type', 'domain', 'function', 'aggregate']);

/** The live colour's schema as the files leave it, as far as their text shows: what goes, and what goes with it. */
export class ForeseenSchema extends ForeseenNames {
  /** With all that is part of it. */
  removeRelation(name: string): void {
    this.dropTable(name);
    for (const { kind, identity } of this.partsOf(name)) this.remove(kind, identity);
  }

  renameRelation(from: string, schema: string, name: string): void {
    const to = `${schema}.${name}`;
    const table = this.table(from);
    const parts = this.partsOf(from);
    this.remembersAgain(from, to);
    this.removeRelation(from);
    if (table) this.setTable(to, { ...table, schema, name });
    for (const { kind, identity, definition } of parts)
      this.put({ kind, identity: moved(kind, plain(identity), from, to), definition });
  }

  removeColumn(table: string, column: string): void {
    const known = this.table(table);
    if (known)
      this.changeTable(table, {
        columns: known.columns.filter(({ name }) => name !== column),
        primaryKey: known.primaryKey.includes(column) ? [] : known.primaryKey,
        identity: known.identity.includes(column) ? [] : known.identity,
      });
    for (const object of this.partsOf(table))
      if (mentions(object, table, column)) this.remove(object.kind, object.identity);
  }

  /** Names of constraints and indexes that go with a column. */
  rulesOver(table: string, column: string): string[] {
    return this.partsOf(table)
      .filter((object) => object.kind !== 'column' && object.kind !== 'sequence' && mentions(object, table, column))
      .map(({ kind, identity }) =>
        plain(kind === 'index' ? (identity.split('.').at(-1) ?? '') : identity.slice(0, identity.lastIndexOf(' on '))),
      );
  }

  /** The sequence of a column. */
  removeOwned(table: string, column: string): void {
    for (const object of this.partsOf(table))
      if (object.kind === 'sequence' && mentions(object, table, column)) this.remove('sequence', object.identity);
  }

  /** Of the columns that a sequence fills, by CASCADE. */
  removeDefaultsOf(sequence: string): void {
    for (const { kind, identity, definition } of this.objects) {
      if (kind !== 'column' || !plain(definition).includes(`nextval('${sequence}'`)) continue;
      this.put({ kind, identity, definition: changedColumn(definition, { fill: '' }) });
      const name = plain(identity);
      this.changeColumn(plain(relationOf(identity)), name.slice(plain(relationOf(identity)).length + 1), {
        hasDefault: false,
      });
    }
  }

  /** Columns that go with their type, by CASCADE. */
  removeColumnsOf(type: string): void {
    for (const table of this.tables)
      for (const column of table.columns)
        if (column.type === type || column.type === `${type}[]`) this.removeColumn(label(table), column.name);
  }

  /** All that is in a schema, and itself. */
  removeSchema(name: string): void {
    for (const each of this.relationsIn(name)) this.removeRelation(each);
    for (const { kind, identity } of this.objects)
      if (inSchemas.has(kind) && plain(identity).startsWith(`${name}.`)) this.remove(kind, identity);
    this.remove('schema', name);
  }
}

function moved(kind: SchemaKind, identity: string, from: string, to: string): string {
  if (kind === 'column') return `${to}${identity.slice(from.length)}`;
  if (kind === 'index' || (kind === 'sequence' && identity !== from)) return identity;
  return identity === from ? to : `${identity.slice(0, -from.length)}${to}`;
}
