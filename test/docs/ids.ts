import { bare, isNode, nameOf, nodes, property, walk, type Node, type Source } from './sources.ts';

export interface Ids {
  /** Id to the places that give it, as file:function. */
  readonly found: ReadonlyMap<string, readonly string[]>;
  /** Places whose id no reading of the source shows: they pass on what another process said. */
  readonly unknown: readonly string[];
}

/** A function whose parameter, or a property of it, becomes an id: each call of it gives one. */
interface Giver {
  readonly file: string;
  readonly name: string;
  readonly place: number;
  readonly property: string | undefined;
}

/** Ids of findings: objects that have a grade beside their id. */
export function findingIds(all: readonly Source[]): Ids {
  return collect(all, (node) =>
    node.type === 'ObjectExpression' && property(node, 'grade') && property(node, 'title')
      ? property(node, 'id')
      : undefined,
  );
}

function collect(all: readonly Source[], idOf: (node: Node) => Node | undefined): Ids {
  const found = new Map<string, string[]>();
  const unknown: string[] = [];
  const seen = new Set<string>();
  const pending: Giver[] = [];

  const take = (id: Node, source: Source, above: readonly Node[]): void => {
    const where = `${source.file}:${functionName(above) ?? 'module'}`;
    const node = bare(id);
    if (node.type === 'Literal' && typeof node['value'] === 'string')
      found.set(node['value'], [...(found.get(node['value']) ?? []), where]);
    else if (node.type === 'ConditionalExpression')
      for (const side of ['consequent', 'alternate']) take(node[side] as Node, source, above);
    else if (node.type === 'LogicalExpression')
      for (const side of ['left', 'right']) take(node[side] as Node, source, above);
    else {
      const giver = giverOf(node, source, above);
      if (!giver) unknown.push(where);
      else if (!seen.has(JSON.stringify(giver))) {
        seen.add(JSON.stringify(giver));
        pending.push(giver);
      }
    }
  };

  for (const source of all) {
    walk(source.program, (node, above) => {
      const id = idOf(node);
      if (id) take(id, source, above);
    });
  }
  for (let giver = pending.pop(); giver; giver = pending.pop()) {
    const { file, name, place, property: key } = giver;
    for (const source of all) {
      if (source.file !== file && !imports(source, name)) continue;
      walk(source.program, (node, above) => {
        if (node.type !== 'CallExpression' || nameOf(node['callee']) !== name) return;
        const argument = nodes(node['arguments'])[place];
        if (!argument) return;
        if (key === undefined) return take(argument, source, above);
        const value = bare(argument).type === 'ObjectExpression' ? property(bare(argument), key) : undefined;
        // An object that leaves the property out, or spreads one that does, has the default.
        if (value) take(value, source, above);
      });
    }
  }
  return { found, unknown: unknown.sort() };
}

/** The parameter of an enclosing, named function that this expression is. */
function giverOf(node: Node, source: Source, above: readonly Node[]): Giver | undefined {
  const [variable, key] =
    node.type === 'MemberExpression' ? [nameOf(node['object']), nameOf(node['property'])] : [nameOf(node), undefined];
  if (node.type !== 'Identifier' && node.type !== 'MemberExpression') return undefined;
  for (const [index, each] of [...above.entries()].toReversed()) {
    if (!isFunction(each)) continue;
    const place = nodes(each['params']).findIndex(
      (parameter) => nameOf(parameter.type === 'AssignmentPattern' ? parameter['left'] : parameter) === variable,
    );
    if (place < 0) continue;
    const name = functionName(above.slice(0, index + 1));
    return name === undefined ? undefined : { file: source.file, name, place, property: key };
  }
  return undefined;
}

function isFunction(node: Node): boolean {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(node.type);
}

/** The name of the innermost function that has one: its own, its constant's or its method's. */
function functionName(above: readonly Node[]): string | undefined {
  for (const [index, node] of [...above.entries()].toReversed()) {
    if (!isFunction(node)) continue;
    const holder = above[index - 1];
    const own =
      nameOf(node['id']) ??
      (holder?.type === 'VariableDeclarator'
        ? nameOf(holder['id'])
        : holder?.type === 'MethodDefinition' || holder?.type === 'Property'
          ? nameOf(holder['key'])
          : undefined);
    if (own !== undefined) return own;
  }
  return undefined;
}

function imports({ program }: Source, name: string): boolean {
  return nodes(program['body']).some(
    (node) =>
      node.type === 'ImportDeclaration' &&
      nodes(node['specifiers']).some(
        (specifier) => isNode(specifier['imported']) && nameOf(specifier['imported']) === name,
      ),
  );
}
