import type { RangeVar } from 'libpg-query';
import type { Table } from '../../postgres/catalogue.ts';
import type { SchemaKind, SchemaObject } from '../../postgres/fingerprint/index.ts';
import type { ViewTables } from '../../postgres/row-reads.ts';
import { plain } from '../expand-contract/notes.ts';
import { relationOf } from '../shapes/of-table.ts';
import { bringsMore, cascades, firesNothing, makesImplied, isImplied, removes } from './implied.ts';
import type { Statement } from '../lint/statement.ts';
import { ForeseenObjects, relationKinds } from './objects.ts';

const isRelation = (kind: string): boolean => relationKinds.has(kind as SchemaKind);

/** What a condition depends on. */
export interface AskedNames {
  readonly names: readonly string[];
  /** They are not all of one object. */
  readonly apart: boolean;
  /** It is asked whether a name is free again. */
  readonly free?: boolean;
}

export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_$]+/gu));
}

/**
 * What a name of a file means, and of what it is certain. What may be something else by the run is in doubt: nothing is
 * said of it before.
 */
export class ForeseenNames extends ForeseenObjects {
  readonly #doubts = new Set<string>();
  readonly #again = new Set<string>();
  readonly #temporary = new Set<string>();
  /** The words of each statement so far. */
  readonly #said: ReadonlySet<string>[] = [];
  /** Of those that make further objects under names of their own. */
  readonly #implying: ReadonlySet<string>[] = [];
  #hasMore = false;
  #hasRemoved = false;
  readonly #views: readonly ViewTables[];
  /** What search_path the files set; undefined where it is whoever runs them's own. */
  path: readonly string[] | undefined;
  /** The first schema of whoever runs them; undefined where that is not certain. */
  readonly #place: string | undefined;
  /** Something ran whose effect no text shows. */
  lost = false;
  /** Code runs beside each statement that makes or changes an object, and may change others. */
  isWatched = false;

  constructor(
    tables: readonly Table[],
    objects: readonly SchemaObject[],
    views: readonly ViewTables[],
    place: string | undefined,
  ) {
    super(tables, objects);
    this.#views = views;
    this.#place = place;
  }

  /** Where a name that says no schema is made. */
  get firstOfPath(): string | undefined {
    return this.path === undefined ? this.#place : this.path[0];
  }

  /** Whether columns of a relation came or went. */
  isMadeAgain(name: string): boolean {
    return this.changed.some(({ kind, identity }) => kind === 'column' && plain(relationOf(identity)) === name);
  }

  /** Whether a relation is the live colour's still, by its name. */
  isThere(name: string): boolean {
    const { kind } = this.relation(name) ?? {};
    return kind !== undefined && this.was(kind, name) && this.isSure(name, '');
  }

  /** Of a table that inherits, and theirs: with them it goes, and changes. */
  parentsOf(name: string): string[] {
    const [, said] = /^inherits (.+)$/m.exec(this.relation(name)?.definition ?? '') ?? [];
    return (said?.split(', ') ?? []).map(plain).flatMap((parent) => [parent, ...this.parentsOf(parent)]);
  }

  /**
   * Whether what is said of an object, by the name that findings print, is what the run will lead to. `id`: of the
   * finding or the change.
   */
  isSure(object: string, id: string): boolean {
    if (this.lost) return false;
    const said = plain(object);
    const within = (name: string): boolean =>
      said === name || said.startsWith(`${name}.`) || said.startsWith(`${name}(`);
    return ![...this.#doubts].some(within) && (id === 'table-remade' || ![...this.#again].some(within));
  }

  /** What a statement of the files names, as they run. */
  hasSaid({ tag, text, node }: Statement): void {
    const words = wordsOf(text);
    if (this.isWatched && !firesNothing.has(tag)) this.lost = true;
    if (bringsMore.has(tag) || cascades(node)) this.#hasMore = true;
    if (removes(node)) this.#hasRemoved = true;
    if (makesImplied.has(tag)) this.#implying.push(words);
    this.#said.push(words);
  }

  /** Whether the live colour's catalogue still says of these names what it will say then. */
  isUntouched({ names, apart, free = false }: AskedNames): boolean {
    const asked = names.map((name) => name.toLowerCase());
    const isOf = (words: ReadonlySet<string>): boolean =>
      apart ? asked.some((name) => words.has(name)) : asked.every((name) => words.has(name));
    if (this.lost || this.#hasMore || (free && this.#hasRemoved) || this.#said.some(isOf)) return false;
    if (this.#implying.some((words) => asked.some((name) => isImplied(name, words)))) return false;
    const named = (name: string): boolean => asked.some((each) => wordsOf(name).has(each));
    return (
      ![...this.#doubts, ...this.#again].some(named) &&
      !this.changed.some(({ kind, identity }) =>
        // With a table that came or went, all that is in it.
        isRelation(kind) ? named(identity) : isOf(wordsOf(identity)),
      )
    );
  }

  /** Another table under the name of one that was there: what it looks like is not compared. */
  madeAgain(name: string): void {
    this.#again.add(name);
  }

  /** Under its new name such a table is another one still. */
  remembersAgain(from: string, to: string): void {
    if (this.#again.has(from)) this.madeAgain(to);
  }

  doubt(name: string): void {
    this.#doubts.add(plain(name));
  }

  /** All that has or had one of these names, wherever it is. */
  doubtNamed(words: ReadonlySet<string>): void {
    for (const { kind, name } of this.known) {
      const said = name.replace(/\(.*$/s, '');
      if (kind !== 'column' && words.has((said.split('.').at(-1) ?? '').toLowerCase())) this.doubt(said);
    }
  }

  viewsOver(table: string): string[] {
    return this.#views.filter(({ tables }) => tables.includes(table)).map(({ view }) => view);
  }

  relationsIn(schema: string): string[] {
    return this.objects.flatMap(({ kind, identity }) => {
      const said = plain(identity);
      return isRelation(kind) && said.startsWith(`${schema}.`) ? [said] : [];
    });
  }

  /** Of a relation, as they are now. */
  columnsOf(relation: string): string[] {
    return this.partsOf(relation).flatMap(({ kind, identity }) =>
      kind === 'column' ? [plain(identity).slice(relation.length + 1)] : [],
    );
  }

  /** Where a function of this name will be; undefined where that is not certain. */
  routinePlace(parts: readonly string[]): string | undefined {
    return this.#placeIn(parts, ['function', 'aggregate']);
  }

  typePlace(parts: readonly string[]): string | undefined {
    return this.#placeIn(parts, ['type', 'domain']);
  }

  #placeIn(parts: readonly string[], kinds: readonly string[]): string | undefined {
    const [name = '', schema = this.path?.[0]] = parts.toReversed();
    if (schema !== undefined) return `${schema}.${name}`;
    const found = this.known.flatMap((each) => {
      const said = each.name.replace(/\(.*$/s, '');
      return kinds.includes(each.kind) && said.endsWith(`.${name}`) ? [said] : [];
    });
    const [place = `public.${name}`, other] = new Set(found);
    return other === undefined ? place : undefined;
  }

  /** Functions and the like of a name, whatever their arguments. */
  routines(schema: string | undefined, name: string): SchemaObject[] {
    return this.objects.filter(({ kind, identity }) => {
      if (kind !== 'function' && kind !== 'aggregate') return false;
      const said = plain(identity).replace(/\(.*$/s, '');
      return schema === undefined ? said.endsWith(`.${name}`) : said === `${schema}.${name}`;
    });
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
    return this.#only(this.#having(name, relationKinds), name);
  }

  /** Of a type, a domain or the like. */
  findObject(kinds: readonly SchemaKind[], schema: string | undefined, name: string): string | undefined {
    const found = this.#having(name, new Set(kinds)).filter(
      (each) => schema === undefined || each === `${schema}.${name}`,
    );
    return this.#only(found, name);
  }

  /** Where what is made under a name will be. */
  placeFor(schema: string | undefined, name: string): string {
    const first = schema ?? this.path?.[0];
    if (first !== undefined) return `${first}.${name}`;
    const was = this.known.filter(({ kind, name: known }) => isRelation(kind) && known.endsWith(`.${name}`));
    return was.length === 1 ? (was[0]?.name ?? '') : `public.${name}`;
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
}
