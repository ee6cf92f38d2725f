import { label, type Column, type Table } from '../../postgres/catalogue.ts';
import { diffSchema, type SchemaKind, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { plain } from '../expand-contract/notes.ts';
import { relationOf, tableOfIndex } from '../shapes/of-table.ts';

/** What has rows and columns, and sequences: one name means one of them. */
export const relationKinds: ReadonlySet<SchemaKind> = new Set<SchemaKind>([
  'table',
  'view',
  'materialized view',
  'foreign table',
  'sequence',
]);

/**
 * Both forms of a schema that the gates read, of the live colour at first. Names are those that findings print,
 * `schema.table`, without quotes.
 */
export class ForeseenObjects {
  readonly #objects = new Map<string, SchemaObject>();
  readonly #before: readonly SchemaObject[];
  /** As the catalogue prints each name of the live colour's, quoted where it has to be. */
  readonly #printed = new Map<string, string>();
  readonly #tables: Map<string, Table>;
  #made = 0;

  constructor(tables: readonly Table[], objects: readonly SchemaObject[]) {
    this.#before = objects;
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

  /** What the files have made, dropped or changed so far. */
  get changed(): SchemaObject[] {
    return diffSchema(this.#before, this.objects).map(({ kind, identity }) => ({ kind, identity, definition: '' }));
  }

  /** Kind and name of all that the live colour has, or the files made. */
  get known(): { readonly kind: string; readonly name: string }[] {
    return [...new Set([...this.#printed.keys(), ...this.#objects.keys()])].map((each) => {
      const [kind = '', name = ''] = each.split('\n');
      return { kind, name };
    });
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

  dropTable(name: string): void {
    this.#tables.delete(name);
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
    for (const kind of relationKinds) {
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

  /** A relation with all that is part of it. */
  partsOf(name: string): SchemaObject[] {
    return this.objects.filter(({ kind, identity, definition }) => {
      const said = plain(identity);
      if (said === name) return relationKinds.has(kind);
      if (kind === 'column') return plain(relationOf(identity)) === name;
      if (kind === 'sequence') return plain(relationOf(/^owned by (.+)$/m.exec(definition)?.[1] ?? '')) === name;
      if (kind === 'index') return plain(tableOfIndex(definition) ?? '') === name;
      return (
        (kind === 'constraint' || kind === 'trigger' || kind === 'policy' || kind === 'rule') &&
        said.endsWith(` on ${name}`)
      );
    });
  }
}

function key(kind: string, name: string): string {
  return `${kind}\n${name}`;
}
