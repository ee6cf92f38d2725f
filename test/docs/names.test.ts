import { expect, test } from 'vitest';
import { nameOf, nodes, sources, isNode } from './sources.ts';

/** Names that may be exported twice, and why. */
const twice = [
  // What a Pulumi program writes is the component; within Verdigris the words are the declaration's and the port's.
  'Environment',
  'Traffic',
  // A step's constant has the name of its id, and two verbs have such a step.
  'open',
];

test('an exported name means one thing', () => {
  const files = new Map<string, string[]>();
  for (const { file, program } of sources('src'))
    for (const statement of nodes(program['body'])) {
      const declared = statement.type === 'ExportNamedDeclaration' ? statement['declaration'] : undefined;
      if (!isNode(declared)) continue;
      const ids = declared.type === 'VariableDeclaration' ? nodes(declared['declarations']) : [declared];
      for (const { id } of ids) {
        const name = nameOf(id);
        if (name !== undefined) files.set(name, [...(files.get(name) ?? []), file]);
      }
    }
  expect(files.size).toBeGreaterThan(1_000);
  const doubled = [...files].filter(([name, where]) => new Set(where).size > 1 && !twice.includes(name));
  expect(doubled).toEqual([]);
});
