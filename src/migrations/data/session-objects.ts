import type { Node } from 'libpg-query';
import { as, fieldsOf, option, strings, tagOf, type Of } from '../lint/ast.ts';
import { MadeSettings } from './made-settings.ts';
import { readData, readRowsMade, type DataStatement, type NamedRelation } from './read.ts';

/** A temporary table or view. */
interface Relation {
  name: string;
  readonly view: boolean;
  /** What its rows are made of: nothing of the session. */
  reads: readonly NamedRelation[];
  /** Of a view: temporary tables and views, whose rows it has whenever it is read. */
  readonly over: readonly Relation[];
  readonly dropsAtCommit: boolean;
}

/**
 * What a file keeps in its session, which is gone at the switchover: temporary tables and views, prepared statements,
 * cursors, settings. Whatever reads one rests on all that it was made of.
 */
export class SessionObjects {
  readonly #relations = new Map<string, Relation>();
  readonly #prepared = new Map<string, Node>();
  readonly #cursors = new Map<string, readonly NamedRelation[]>();
  readonly #settings = new MadeSettings();

  /** What a statement writes besides what the session has, what that rests on, and what of the session it needs. */
  placed(stated: Node, own: DataStatement | undefined): DataStatement | undefined {
    const node = analyzed(stated);
    const { data, session } = this.#executed(node, own);
    const temporary = data?.targets.filter(({ schema }) => schema === 'pg_temp').map(({ name }) => name) ?? [];
    const made = temporary.filter((name) => !this.#relations.has(name));
    for (const name of made) this.#makes(name, node);
    this.#learn(node);
    const needed = session ?? this.#cursor(node) ?? this.#settings.needed(node);
    this.#settings.learn(
      node,
      data?.reads.flatMap((each) => this.#behind(each)),
    );
    return data && this.#judged(data, made, needed);
  }

  /** The end of a transaction of the file. */
  commit(): void {
    for (const [name, { dropsAtCommit }] of this.#relations) if (dropsAtCommit) this.#relations.delete(name);
    this.#settings.commit();
  }

  /** `made` has the names of what it makes itself. */
  #judged(
    data: DataStatement,
    made: readonly string[],
    needed: { what: string; reads?: readonly NamedRelation[] } | undefined,
  ): DataStatement {
    const found = [...data.reads, ...data.targets].find((each) => this.#relation(each) && !made.includes(each.name));
    const reads = [...data.reads.flatMap((each) => this.#behind(each)), ...(needed?.reads ?? [])];
    const into = data.targets.flatMap((each) => this.#relation(each) ?? []);
    // What is written to a view is written to its tables.
    const throughView = into.flatMap(writtenThrough);
    const targets = [...data.targets.filter((each) => !this.#relation(each)), ...throughView];
    for (const relation of into.flatMap(tablesOf)) relation.reads = distinct([...relation.reads, ...reads]);
    const fillsSession = into.length > 0 && targets.length === 0;
    const what = needed?.what ?? (found && `the temporary table ${found.name}`);
    const rest = fillsSession ? { fill: undefined, fillsSession } : {};
    return { ...data, targets, reads: distinct(reads), ...rest, ...(what === undefined ? {} : { session: what }) };
  }

  /** The statement that it is: what was prepared, or a table that is made of rows here. */
  #executed(
    node: Node,
    own: DataStatement | undefined,
  ): { readonly data: DataStatement | undefined; readonly session?: { readonly what: string } } {
    const { into, query } = as(node, 'CreateTableAsStmt') ?? {};
    const { name = '' } = as(query ?? node, 'ExecuteStmt') ?? ({} as Partial<Of<'ExecuteStmt'>>);
    const prepared = this.#prepared.get(name);
    const session = { what: `the prepared statement ${name}` };
    if (into && prepared) return { data: readRowsMade({ CreateTableAsStmt: { into, query: prepared } }), session };
    if (prepared) {
      const inner = readData(prepared);
      return { data: inner && { ...inner, fill: undefined }, session };
    }
    const rows = readRowsMade(node);
    return { data: own ?? (rows?.targets.some(({ schema }) => schema === 'pg_temp') ? rows : undefined) };
  }

  /** A cursor that a block names: its rows may have been read before. */
  #cursor(node: Node): { readonly what: string; readonly reads: readonly NamedRelation[] } | undefined {
    const words = JSON.stringify(as(node, 'DoStmt')?.args ?? '').split(/[^\w$]+/);
    const found = [...this.#cursors].find(([name]) => words.includes(name));
    return found && { what: `the cursor ${found[0]}`, reads: found[1] };
  }

  #learn(node: Node): void {
    const table = as(node, 'CreateStmt');
    const name = table?.relation?.relname ?? '';
    const temporary = table?.relation?.relpersistence === 't' || table?.relation?.schemaname === 'pg_temp';
    if (temporary && !(table.if_not_exists && this.#relations.has(name))) this.#makes(name, node);
    const { view, query } = as(node, 'ViewStmt') ?? {};
    if (view && query) this.#learnView(view.relname ?? '', view.relpersistence === 't', query);
    const { name: statement, query: prepared } = as(node, 'PrepareStmt') ?? {};
    if (statement !== undefined && prepared) this.#prepared.set(statement, prepared);
    const { portalname, query: read } = as(node, 'DeclareCursorStmt') ?? {};
    if (portalname !== undefined && read)
      this.#cursors.set(
        portalname,
        (readRowsMade(read)?.reads ?? []).flatMap((each) => this.#behind(each)),
      );
    this.#forget(node);
  }

  #learnView(name: string, temporary: boolean, query: Node): void {
    const reads = readRowsMade(query)?.reads ?? [];
    const over = reads.flatMap((each) => this.#relation(each) ?? []);
    // Over what is temporary, a view is too.
    if (!temporary && over.length === 0) return;
    const outside = reads.filter((each) => !this.#relation(each));
    this.#relations.set(name, { name, view: true, reads: outside, over, dropsAtCommit: false });
  }

  #forget(node: Node): void {
    const { removeType, objects } = as(node, 'DropStmt') ?? {};
    if (removeType === 'OBJECT_TABLE' || removeType === 'OBJECT_VIEW')
      for (const object of objects ?? []) {
        const [name = '', schema = 'pg_temp'] = strings(object).reverse();
        if (schema === 'pg_temp') this.#relations.delete(name);
      }
    const { renameType, relation, newname } = as(node, 'RenameStmt') ?? {};
    const renamed = relation && this.#relation({ schema: relation.schemaname, name: relation.relname ?? '' });
    if (renamed && newname !== undefined && (renameType === 'OBJECT_TABLE' || renameType === 'OBJECT_VIEW')) {
      this.#relations.delete(relation.relname ?? '');
      renamed.name = newname;
      this.#relations.set(newname, renamed);
    }
    if (tagOf(node) === 'DiscardStmt') this.#relations.clear();
  }

  #makes(name: string, node: Node): void {
    const into = as(node, 'CreateTableAsStmt')?.into ?? as(node, 'SelectStmt')?.intoClause;
    const dropsAtCommit = (as(node, 'CreateStmt')?.oncommit ?? into?.onCommit) === 'ONCOMMIT_DROP';
    this.#relations.set(name, { name, view: false, reads: [], over: [], dropsAtCommit });
  }

  #relation({ schema, name }: NamedRelation): Relation | undefined {
    return schema === undefined || schema === 'pg_temp' ? this.#relations.get(name) : undefined;
  }

  /** Itself, or what is behind what the session has. */
  #behind(named: NamedRelation): readonly NamedRelation[] {
    const relation = this.#relation(named);
    return relation ? behind(relation) : [named];
  }
}

/** A table is among it by its name: what functions filled it from shows when they run. */
function behind({ name, view, reads, over }: Relation): NamedRelation[] {
  return [...(view ? [] : [{ schema: 'pg_temp', name }]), ...reads, ...over.flatMap(behind)];
}

function writtenThrough({ view, reads, over }: Relation): readonly NamedRelation[] {
  return view ? [...reads, ...over.flatMap(writtenThrough)] : [];
}

function tablesOf(relation: Relation): Relation[] {
  return relation.view ? relation.over.flatMap(tablesOf) : [relation];
}

function distinct(relations: readonly NamedRelation[]): NamedRelation[] {
  return [...new Map(relations.map((each) => [`${each.schema ?? ''}.${each.name}`, each])).values()];
}

/** EXPLAIN (ANALYZE) runs what it explains. */
function analyzed(node: Node): Node {
  if (tagOf(node) !== 'ExplainStmt') return node;
  const { query, options } = fieldsOf(node) as Of<'ExplainStmt'>;
  return query && option(options, 'analyze') ? query : node;
}
