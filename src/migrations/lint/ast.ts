import type { Node, RangeVar, TypeName } from 'libpg-query';

type KeyOf<U> = U extends unknown ? keyof U : never;
/** The name of a node of PostgreSQL's raw parse tree: `AlterTableStmt`. */
export type Tag = KeyOf<Node>;
/** The fields of the node of that name. */
export type Of<T extends Tag> = Extract<Node, Record<T, unknown>> extends Record<T, infer Fields> ? Fields : never;

export function tagOf(node: Node): Tag {
  return Object.keys(node)[0] as Tag;
}

export function fieldsOf(node: Node): object {
  return Object.values(node)[0] as object;
}

/** The node's fields where it is of that name. */
export function as<T extends Tag>(node: Node | undefined, tag: T): Of<T> | undefined {
  return node === undefined ? undefined : ((node as Partial<Record<Tag, unknown>>)[tag] as Of<T> | undefined);
}

export function all<T extends Tag>(nodes: readonly Node[] | undefined, tag: T): Of<T>[] {
  return (nodes ?? []).map((node) => as(node, tag)).filter((fields) => fields !== undefined);
}

/** The strings of a list of String nodes, or of a List of them: a name in parts. */
export function strings(nodes: readonly Node[] | Node | undefined): string[] {
  if (nodes === undefined) return [];
  if (!Array.isArray(nodes)) {
    const list = as(nodes as Node, 'List');
    if (list) return strings(list.items);
    const type = as(nodes as Node, 'TypeName');
    if (type) return strings(type.names);
    const object = as(nodes as Node, 'ObjectWithArgs');
    if (object) return strings(object.objname);
    return strings([nodes as Node]);
  }
  return all(nodes as Node[], 'String').map((part) => part.sval ?? '');
}

/** A table or the like, the schema filled in. */
export interface Name {
  readonly schema: string;
  readonly name: string;
}

export function nameLabel(name: Name): string {
  return `${name.schema}.${name.name}`;
}

export function relationName(relation: RangeVar | undefined, schema = 'public'): Name {
  const temporary = relation?.relpersistence === 't' ? 'pg_temp' : undefined;
  return { schema: relation?.schemaname ?? temporary ?? schema, name: relation?.relname ?? '' };
}

export function nameOfParts(parts: readonly string[], schema = 'public'): Name {
  return { schema: parts.at(-2) ?? schema, name: parts.at(-1) ?? '' };
}

/**
 * Every node below, itself included, each before what is in it. By a stack of its own: a generator in a generator for
 * each level is the dear part of linting a wide table.
 */
export function* walk(value: unknown): Generator<[tag: string, fields: Readonly<Record<string, unknown>>]> {
  const rest: { readonly key: string; readonly value: unknown }[] = [{ key: '', value }];
  for (let at = rest.pop(); at; at = rest.pop()) {
    const { key, value: inner } = at;
    if (typeof inner !== 'object' || inner === null) continue;
    if (Array.isArray(inner)) {
      for (let index = inner.length - 1; index >= 0; index--) rest.push({ key: '', value: inner[index] });
      continue;
    }
    const fields = inner as Record<string, unknown>;
    const first = key.charCodeAt(0);
    if (first >= 65 && first <= 90) yield [key, fields];
    const keys = Object.keys(fields);
    for (let index = keys.length - 1; index >= 0; index--) {
      const name = keys[index] as string;
      const below = fields[name];
      if (typeof below === 'object' && below !== null) rest.push({ key: name, value: below });
    }
  }
}

/** A node's meaning as text, without the places in the file that the parser notes. */
export function meaning(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) =>
    key === 'location' || key.startsWith('rexpr_list_') ? undefined : value,
  );
}

/** The integer constants of a type's parameters: `numeric(10,2)` has 10 and 2. */
export function typeParameters(type: TypeName | undefined): number[] {
  return all(type?.typmods, 'A_Const').map((constant) => constant.ival?.ival ?? 0);
}

/** A text or integer constant as text; undefined for anything else. */
export function constant(node: Node | undefined): string | undefined {
  const found = as(node, 'A_Const') ?? as(as(node, 'TypeCast')?.arg, 'A_Const');
  if (!found) return as(node, 'String')?.sval;
  return found.sval?.sval ?? (found.ival ? String(found.ival.ival ?? 0) : found.fval?.fval);
}

/** The value of an option of a statement: `WITH (name = value)`, or a clause kept as a DefElem. */
export function option(options: readonly Node[] | undefined, name: string): Of<'DefElem'> | undefined {
  return all(options, 'DefElem').find((element) => element.defname === name);
}
