import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { declarationSchemaFile } from '../../scripts/declaration-schema.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { bare, document, isNode, nameOf, nodes, parseSource, root, type Node } from './sources.ts';

/** Initializers of the constants of a module, exported or not. */
function constants(program: Node): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const statement of nodes(program['body'])) {
    const declaration =
      statement.type === 'ExportNamedDeclaration' && isNode(statement['declaration'])
        ? statement['declaration']
        : statement;
    if (declaration.type !== 'VariableDeclaration') continue;
    for (const each of nodes(declaration['declarations']))
      if (isNode(each['init'])) found.set(nameOf(each['id']) ?? '', each['init']);
  }
  return found;
}

/** Paths of the leaves of a zod schema as the source spells it: the schema itself does not leave its module. */
function leaves(expression: Node, known: ReadonlyMap<string, Node>, path: readonly string[] = []): string[] {
  const node = bare(expression);
  if (node.type === 'Identifier') {
    const named = known.get(nameOf(node) ?? '');
    return named ? leaves(named, known, path) : [path.join('.')];
  }
  const callee = isNode(node['callee']) ? node['callee'] : undefined;
  if (node.type !== 'CallExpression' || callee?.type !== 'MemberExpression') return [path.join('.')];
  const [method, given] = [nameOf(callee['property']), nodes(node['arguments'])];
  if (method === 'strictObject') {
    return nodes(given[0]?.['properties']).flatMap((property) =>
      leaves(property['value'] as Node, known, [...path, nameOf(property['key']) ?? '?']),
    );
  }
  if (method === 'partialRecord') return leaves(given[1] as Node, known, [...path, '<colour>']);
  const inner = callee['object'] as Node;
  return nameOf(inner) === 'z' ? [path.join('.')] : leaves(inner, known, path);
}

const text = document('docs/declaration.md');
const rows = [...text.matchAll(/^\| `([^`]+)` \| .+? \| (.+?) \| (.+) \|$/gm)].map(
  ([, key = '', standard = '', meaning = '']) => ({ key, standard, meaning }),
);
const examples = [...text.matchAll(/```yaml\n([\s\S]+?)```/g)].map(
  (match) => parse(match[1] ?? '') as Record<string, unknown>,
);
const [example = {}] = examples;
const smallest = {
  name: 'a',
  platform: 'local',
  database: 'd',
  roles: { application: ['r'] },
  colours: { blue: { release: '1', postgres: 17 } },
  live: 'blue',
};

test('every key of the schema is described, and no other', () => {
  const known = new Map([
    ...['kubernetes', 'server-kinds', 'delivery', 'colour-schema', 'limits-schema', 'environment-schema'].flatMap(
      (file) => [...constants(parseSource(`src/model/${file}.ts`).program)],
    ),
  ]);
  const keys = leaves(known.get('environmentSchema') as Node, known);
  expect(keys.length).toBeGreaterThan(40);
  expect(rows.map(({ key }) => key).sort()).toEqual(keys.sort());
});

test('the examples of docs/declaration.md parse, and have every key between them', () => {
  for (const each of examples) expect(parseEnvironment(each, 'an example')).toMatchObject({ name: each['name'] });
  expect(parseEnvironment(example, 'the example')).toMatchObject({
    name: 'shop',
    limits: { pause: 2_000 },
    local: { port: 6_500 },
  });
  expect(parseEnvironment(smallest, 'the smallest')).toMatchObject({ live: 'blue' });
  const inNone = rows.filter(
    ({ key }) => !examples.some((each) => at(each, key.replace('<colour>', 'green')) !== undefined),
  );
  expect(inNone.map(({ key }) => key)).toEqual([]);
});

test('each default is the one that counts; what is required is missed, what has none may be left out', () => {
  const unset = parseEnvironment(smallest, 'x');
  for (const { key, standard } of rows) {
    const value = /^`(.+)`$/.exec(standard)?.[1];
    if (value === undefined) {
      expect(['required', 'none']).toContain(standard);
      if (standard === 'required')
        expect(() => parseEnvironment(without(smallest, key.replace('<colour>', 'blue')), 'x'), key).toThrow();
      else expect(at(unset, key.replace('<colour>', 'blue')), key).toBeUndefined();
    } else expect(at(parseEnvironment(withValue(smallest, key, parse(value)), 'x'), key), key).toEqual(at(unset, key));
  }
});

function at(value: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}

function withValue(value: unknown, key: string, leaf: unknown): unknown {
  const [name = '', ...rest] = key.split('.');
  const own = (value ?? {}) as Record<string, unknown>;
  return { ...own, [name]: rest.length === 0 ? leaf : withValue(own[name], rest.join('.'), leaf) };
}

function without(value: unknown, key: string): unknown {
  return JSON.parse(JSON.stringify(withValue(value, key, undefined)));
}

test('the JSON schema is what the code says now: npm run schema', () => {
  expect(document('docs/declaration.schema.json')).toBe(declarationSchemaFile());
});

test('the JSON schema describes every key', () => {
  expect(undescribed(JSON.parse(declarationSchemaFile()) as JsonSchema)).toEqual([]);
});

test('every example of a declaration names the schema, where an editor finds it', () => {
  const declarations = readdirSync(path.join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join('examples', name))
    .filter(
      (file) => file.endsWith('.yaml') && /^platform: /m.test(document(file)) && /^colours:/m.test(document(file)),
    );
  expect(declarations.length).toBeGreaterThan(3);
  for (const file of declarations) {
    const [, named = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(document(file)) ?? [];
    expect(path.normalize(path.join(path.dirname(file), named)), file).toBe('docs/declaration.schema.json');
  }
});

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
}

/**
 * Paths of keys that hold a value and say nothing of it. Names that the user chooses (roles, quotas, settings) are no
 * keys.
 */
function undescribed(schema: JsonSchema, at: readonly string[] = []): string[] {
  const below = Object.entries(schema.properties ?? {});
  const colour = at.at(-1) === 'colours' && typeof schema.additionalProperties === 'object';
  if (colour) return undescribed(schema.additionalProperties as JsonSchema, [...at, '<colour>']);
  if (below.length > 0) return below.flatMap(([key, value]) => undescribed(value, [...at, key]));
  return schema.description === undefined ? [at.join('.')] : [];
}
