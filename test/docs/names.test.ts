import { expect, test } from 'vitest';
import { isNode, nameOf, nodes, sources } from './sources.ts';

/** Names that are exported by two files, and why. */
const twice: Readonly<Record<string, string>> = {
  Environment: 'a Pulumi program writes the component; within Verdigris it is the declaration',
  Traffic: 'a Pulumi program writes the component; within Verdigris it is the port',
  open: "a step's constant has the name of its id, and two verbs have such a step",
  psqlCommand: 'a rule of the linter has the name of its id, and a command that of its word',
};

/** What a file declares and exports; not what it hands on. */
function exported(program: unknown): string[] {
  return nodes(program).flatMap((statement) => {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement['declaration'] : undefined;
    if (!isNode(declared)) return [];
    const named = declared.type === 'VariableDeclaration' ? nodes(declared['declarations']) : [declared];
    return named.flatMap(({ id }) => nameOf(id) ?? []);
  });
}

test('an exported name is one thing: one file declares it', () => {
  const files = new Map<string, Set<string>>();
  for (const { file, program } of sources('src'))
    for (const name of exported(program['body'])) files.set(name, (files.get(name) ?? new Set()).add(file));
  expect(files.size).toBeGreaterThan(2_000);
  const doubled = [...files].filter(([, where]) => where.size > 1);
  expect(doubled.filter(([name]) => !(name in twice)).map(([name, where]) => [name, ...where].join(' '))).toEqual([]);
  expect(doubled.map(([name]) => name).sort()).toEqual(Object.keys(twice).sort());
});
