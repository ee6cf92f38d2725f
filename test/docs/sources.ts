import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A node of the syntax tree (ESTree), as far as these tests look into it. */
export interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface Source {
  /** Relative to the project. */
  readonly file: string;
  readonly program: Node;
}

export function document(name: string): string {
  return readFileSync(path.join(root, name), 'utf8');
}

export function parseSource(file: string): Source {
  const program = parseAst(readFileSync(path.join(root, file), 'utf8'), { lang: 'ts' }) as unknown as Node;
  return { file, program };
}

/** Files of code below `folder`, relative to the project. Fixtures are data. */
export function codeFiles(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((file) => /\.[jt]s$/.test(file) && !/\.d\.ts$|\/(fixtures|node_modules)\//.test(file))
    .sort();
}

/** Every TypeScript source below `folder`, parsed. */
export function sources(folder: string, leaveOut: (file: string) => boolean = () => false): Source[] {
  return codeFiles(folder)
    .filter((file) => file.endsWith('.ts') && !leaveOut(file))
    .map(parseSource);
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

export function children(node: Node): Node[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

export function nodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Calls `visit` for every node below `node`, with what encloses it, innermost last. */
export function walk(
  node: Node,
  visit: (node: Node, above: readonly Node[]) => void,
  above: readonly Node[] = [],
): void {
  visit(node, above);
  for (const child of children(node)) walk(child, visit, [...above, node]);
}

/** Without what only the type checker sees. */
export function bare(node: Node): Node {
  const wrappers = [
    'TSAsExpression',
    'TSSatisfiesExpression',
    'TSNonNullExpression',
    'ParenthesizedExpression',
    'ChainExpression',
  ];
  return wrappers.includes(node.type) && isNode(node['expression']) ? bare(node['expression']) : node;
}

export function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return node['name'] as string;
  return node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined;
}

/** The value of a property that an object literal spells out. */
export function property(object: Node, name: string): Node | undefined {
  const found = nodes(object['properties']).find(
    (each) => each.type === 'Property' && each['computed'] !== true && nameOf(each['key']) === name,
  );
  return isNode(found?.['value']) ? bare(found['value']) : undefined;
}
