import type { RangeVar } from 'libpg-query';
import { label, type Column, type Table } from '../../postgres/catalogue.ts';
import type { SchemaKind, SchemaObject } from '../../postgres/fingerprint/index.ts';
import { plain } from '../expand-contract/notes.ts';
import type { ViewTables } from '../../postgres/row-reads.ts';
import { relationOf, tableOfIndex } from '../shapes/of-table.ts';
import { changedColumn } from './column-text.ts';
import { mentions } from './mentions.ts';

/** What has rows, and columns of its own. */
export const relationKinds = ['table', 'view', 'materialized view', 'foreign table'] as const;
const inSchemas: ReadonlySet<string> = new Set(['type', 'domain', 'function', 'aggregate']);
const named: ReadonlySet<string> = new Set([...relationKinds, 'sequence']);

/**
 * The live colour's schema as the files leave it, as far as their text shows. What is not certain is in doubt: nothing
 * is said of it before it was run. Names are those that findings print, `schema.table`, without quotes.
 */
export class ForeseenSchema {
  readonly #objects = new Map<string, SchemaObject>();
  /** As the catalogue prints each name, quoted where it has to be. */
  readonly #printed = new Map<string, string>();
  readonly #tables: Map<string, Table>;
  readonly #doubts = new Set<string>();
  readonly #temporary = new Set<string>();
  #made = 0;
  /** What search_path the files set; undefined where it is whoever runs them's own. */
  path: readonly string[] | undefined;
  /** Something ran whose effect no text shows. */
  lost = false;

  readonly #again = new Set<string>();
  readonly #views: readonly ViewTables[];

  constructor(tables: readonly Table[], objects: readonly SchemaObject[], views: readonly ViewTables[]) {
    this.#views = views;
    this.#tables = new Map(tables.map((table) => [label(table), table]));
    for (const object of objects) {
      this.#printed.set(key(object.kind, plain(object.identity)), object.identity);
      this.put(object);
    }
  }

  get tables(): Table[] {
    return [...this.#tables.values()];
  }

  get objects(): SchemaObject[] {
    return [...this.#objects.values()];
  }

  /**
   * Whether what is said of an object, by the name that findings print, is what the run will lead to. `id`: of the
   * finding or the change.
   */
  isSure(object: string, id: string): boolean {
    if (this.lost) return false;
    const said = plain(object);
    const within = (name: string): boolean => said === name || said.startsWith(`${name}.`) || said.startsWith(`${name}(`);
    return ![...this.#doubts].some(within) && (id === 'table-remade' || ![...this.#again].some(within));
  }

  /** Another table under the name of one that was there: what it looks like is not compared. */
  madeAgain(name: string): void {
    this.#again.add(name);
  }

  viewsOver(table: string): string[] {
    return this.#views.filter(({ tables }) => tables.includes(table)).map(({ view }) => view);
  }

  relationsIn(schema: string): string[] {
    return this.objects.flatMap(({ kind, identity }) => {
      const said = plain(identity);
      return named.has(kind) && said.startsWith(`${schema}.`) ? [said] : [];
    });
  }

  /** Functions and the like of a name, whatever their arguments. */
  routines(schema: string | undefined, name: string): SchemaObject[] {
    return this.objects.filter(({ kind, identity }) => {
      if (kind !== 'function' && kind !== 'aggregate') return false;
      const said = plain(identity).replace(/\(.*$/s, '');
      return schema === undefined ? said.endsWith(`.${name}`) : said === `${schema}.${name}`;
    });
  }

  /** Names of constraints and indexes that go with a column. */
  rulesOver(table: string, column: string): string[] {
    return this.#partsOf(table)
      .filter((object) => object.kind !== 'column' && object.kind !== 'sequence' && mentions(object, table, column))
      .map(({ kind, identity }) =>
        plain(kind === 'index' ? (identity.split('.').at(-1) ?? '') : identity.slice(0, identity.lastIndexOf(' on '))),
      );
  }

  doubt(name: string): void {
    this.#doubts.add(plain(name));
  }

  /** All that has or had one of these names, wherever it is. */
  doubtNamed(words: ReadonlySet<string>): void {
    for (const known of [...this.#printed.keys(), ...this.#objects.keys()]) {
      const [kind, identity = ''] = split(known);
      const said = identity.replace(/\(.*$/s, '');
      if (kind !== 'column' && words.has((said.split('.').at(-1) ?? '').toLowerCase())) this.doubt(said);
    }
  }

  /** Whether the live colour has it. */
  was(kind: SchemaKind, name: string): boolean {
    return this.#printed.has(key(kind, plain(name)));
  }

  /** A table of the live colour's that the files made again is another one, whatever it looks like. */
  get fresh(): { readonly oid: number } {
    this.#made += 1;
    return { oid: -this.#made };
  }

  /** Behind all that the live colour has: a number is never given twice. */
  nextNumber(): number {
    this.#made += 1;
    return 100_000 + this.#made;
  }

  table(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  setTable(name: string, table: Table): void {
    this.#tables.set(name, table);
  }

  changeTable(name: string, part: Partial<Table>): void {
    const known = this.#tables.get(name);
    if (known) this.#tables.set(name, { ...known, ...part });
  }

  changeColumn(name: string, column: string, part: Partial<Column>): void {
    const known = this.#tables.get(name);
    if (known)
      this.changeTable(name, {
        columns: known.columns.map((each) => (each.name === column ? { ...each, ...part } : each)),
      });
  }

  object(kind: SchemaKind, name: string): SchemaObject | undefined {
    return this.#objects.get(key(kind, plain(name)));
  }

  relation(name: string): SchemaObject | undefined {
    for (const kind of [...relationKinds, 'sequence'] as const) {
      const found = this.object(kind, name);
      if (found) return found;
    }
    return undefined;
  }

  put(object: SchemaObject): void {
    const name = key(object.kind, plain(object.identity));
    this.#objects.set(name, { ...object, identity: this.#printed.get(name) ?? object.identity });
  }

  remove(kind: SchemaKind, name: string): void {
    this.#objects.delete(key(kind, plain(name)));
  }

  /** A change of what the catalogue prints of something that is there. */
  redefine(kind: SchemaKind, name: string, change: (definition: string) => string): void {
    const known = this.object(kind, name);
    if (known) this.put({ ...known, definition: change(known.definition) });
  }

  addTemporary(name: string): void {
    this.#temporary.add(name);
  }

  /** Its name where it is there, and certainly that one; what it could be is in doubt otherwise. */
  find(relation: RangeVar | undefined): string | undefined {
    const { schemaname, relname = '', relpersistence } = relation ?? {};
    if (relpersistence === 't' || schemaname === 'pg_temp') return undefined;
    return this.findName(schemaname, relname);
  }

  findName(schema: string | undefined, name: string): string | undefined {
    if (schema !== undefined) return this.relation(`${schema}.${name}`) && `${schema}.${name}`;
    if (this.#temporary.has(name)) return undefined;
    return this.#only(this.#having(name, named), name);
  }

  /** Of a type, a domain or the like. */
  findObject(kinds: readonly SchemaKind[], schema: string | undefined, name: string): string | undefined {
    const found = this.#having(name, new Set(kinds)).filter((each) => schema === undefined || each === `${schema}.${name}`);
    return this.#only(found, name);
  }

  /** Where what is made under a name will be. */
  placeFor(schema: string | undefined, name: string): string {
    if (schema !== undefined) return `${schema}.${name}`;
    const was = [...this.#printed.keys()].flatMap((known) => {
      const [kind = '', identity = ''] = split(known);
      return named.has(kind) && identity.endsWith(`.${name}`) ? [identity] : [];
    });
    const byPath = this.path?.[0];
    if (byPath !== undefined) return `${byPath}.${name}`;
    return was.length === 1 ? (was[0] ?? '') : `public.${name}`;
  }

  #having(name: string, kinds: ReadonlySet<string>): string[] {
    return this.objects.flatMap(({ kind, identity }) => {
      const said = plain(identity);
      return kinds.has(kind) && said.endsWith(`.${name}`) && said.length > name.length ? [said] : [];
    });
  }

  #only(found: readonly string[], name: string): string | undefined {
    const byPath = this.path?.map((schema) => `${schema}.${name}`).find((each) => found.includes(each));
    if (byPath !== undefined || found.length === 1) return byPath ?? found[0];
    for (const each of found) this.doubt(each);
    return undefined;
  }

  /** With all that is part of it. */
  removeRelation(name: string): void {
    this.#tables.delete(name);
    for (const { kind, identity } of this.#partsOf(name)) this.remove(kind, identity);
  }

  renameRelation(from: string, schema: string, name: string): void {
    const to = `${schema}.${name}`;
    const table = this.#tables.get(from);
    const parts = this.#partsOf(from);
    this.removeRelation(from);
    if (table) this.#tables.set(to, { ...table, schema, name });
    for (const { kind, identity, definition } of parts)
      this.put({ kind, identity: moved(kind, plain(identity), from, to), definition });
  }

  removeColumn(table: string, column: string): void {
    const known = this.#tables.get(table);
    if (known)
      this.changeTable(table, {
        columns: known.columns.filter(({ name }) => name !== column),
        primaryKey: known.primaryKey.includes(column) ? [] : known.primaryKey,
        identity: known.identity.includes(column) ? [] : known.identity,
      });
    for (const object of this.#partsOf(table)) if (mentions(object, table, column)) this.remove(object.kind, object.identity);
  }

  /** The sequence of a column. */
  removeOwned(table: string, column: string): void {
    for (const object of this.#partsOf(table))
      if (object.kind === 'sequence' && mentions(object, table, column)) this.remove('sequence', object.identity);
  }

  /** Of the columns that a sequence fills, by CASCADE. */
  removeDefaultsOf(sequence: string): void {
    for (const { kind, identity, definition } of this.objects) {
      if (kind !== 'column' || !plain(definition).includes(`nextval('${sequence}'`)) continue;
      this.put({ kind, identity, definition: changedColumn(definition, { fill: '' }) });
      const name = plain(identity);
      this.changeColumn(plain(relationOf(identity)), name.slice(plain(relationOf(identity)).length + 1), { hasDefault: false });
    }
  }

  /** Columns that go with their type, by CASCADE. */
  removeColumnsOf(type: string): void {
    for (const [name, { columns }] of this.#tables)
      for (const column of columns) if (column.type === type || column.type === `${type}[]`) this.removeColumn(name, column.name);
  }

  /** All that is in a schema, and itself. */
  removeSchema(name: string): void {
    for (const each of this.relationsIn(name)) this.removeRelation(each);
    for (const { kind, identity } of this.objects)
      if (inSchemas.has(kind) && plain(identity).startsWith(`${name}.`)) this.remove(kind, identity);
    this.remove('schema', name);
  }

  #partsOf(name: string): SchemaObject[] {
    return this.objects.filter(({ kind, identity, definition }) => {
      const said = plain(identity);
      if (said === name) return named.has(kind);
      if (kind === 'column') return plain(relationOf(identity)) === name;
      if (kind === 'sequence') return plain(relationOf(/^owned by (.+)$/m.exec(definition)?.[1] ?? '')) === name;
      if (kind === 'index') return plain(tableOfIndex(definition) ?? '') === name;
      return (kind === 'constraint' || kind === 'trigger' || kind === 'policy' || kind === 'rule') && said.endsWith(` on ${name}`);
    });
  }
}

function key(kind: string, name: string): string {
  return `${kind}\n${name}`;
}

function split(known: string): string[] {
  return known.split('\n');
}

function moved(kind: SchemaKind, identity: string, from: string, to: string): string {
  if (kind === 'column') return `${to}${identity.slice(from.length)}`;
  if (kind === 'index' || (kind === 'sequence' && identity !== from)) return identity;
  return identity === from ? to : `${identity.slice(0, -from.length)}${to}`;
}
