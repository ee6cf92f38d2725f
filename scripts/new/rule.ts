import { camel, sentence, type Stub } from './stub.ts';

/** A rule of the linter that speaks of DROP TABLESPACE until its author writes what it is for. */
export function rule(name: string): Stub {
  const id = camel(name);
  const registry = 'src/migrations/lint/rules/index.ts';
  return {
    files: {
      [`src/migrations/lint/rules/${name}.ts`]: `import type { LintRule } from '../rule.ts';

export const ${id}: LintRule = {
  id: '${name}',
  title: '${sentence(name)}',
  severity: 'warning',
  category: 'lock',
  where: 'both',
  why: 'What it does to clients, to replication or to a rollback.',
  instead: 'A statement that runs, or what to do in which release.',
  bad: 'DROP TABLESPACE spare;',
  good: "COMMENT ON TABLE lone IS 'alone';",
  remedy: false,
  check: {
    DropTableSpaceStmt: () => ({ message: 'What it does here, by object.' }),
  },
};
`,
    },
    lines: [
      {
        file: registry,
        before: '\n/**',
        text: `import { ${id} } from './${name}.ts';\n`,
      },
      { file: registry, before: '];', text: `  ${id},\n` },
    ],
    next: [
      `write the rule: src/migrations/lint/rules/${name}.ts (node types: docs of libpg-query; helpers: ast.ts, context.ts)`,
      `npx vitest run test/migrations/lint/docs.test.ts -u   # its own bad and good are tested; the page docs/lint/${name}.md is printed by the first run`,
      'npm run check',
    ],
  };
}
