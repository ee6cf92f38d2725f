import { camel, sentence, todo, type Stub } from './stub.ts';

/** A rule of the linter that speaks of DROP TABLESPACE until its author writes what it is for. */
export function rule(name: string): Stub {
  const id = `${camel(name)}Rule`;
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
  why: '${todo('what it does to clients, to replication or to a rollback.')}',
  instead: '${todo('a statement that runs, or what to do in which release.')}',
  bad: 'DROP TABLESPACE spare;',
  good: "COMMENT ON TABLE lone IS 'alone';",
  remedy: false, // without this line the page shows what is good in place of what is bad
  check: {
    DropTableSpaceStmt: () => ({ message: '${todo('what it does here, by object.')}' }),
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
      `write the rule: src/migrations/lint/rules/${name}.ts`,
      '  node types: docs of libpg-query; fields and helpers: rule.ts, ast.ts, context.ts of src/migrations/lint',
      '  categories and severities: finding.ts there; `newTables: true` where it also concerns a table of the same release',
      'npx tsc   # before the page is printed, which shows whatever the rule says',
      `npx vitest run test/migrations/lint/docs.test.ts -u   # prints docs/lint/${name}.md`,
      'npx vitest run test/migrations/lint/examples.test.ts test/docs   # its bad and good; pages and lines',
      'what it finds and passes over besides: test/migrations/lint/corpus/unsafe.ts and safe.ts, which run on PostgreSQL too',
      '  (corpus.test.ts, proof.test.ts); what needs earlier files: misses.test.ts',
    ],
  };
}
