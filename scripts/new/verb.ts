import { camel, sentence, todo, type Stub } from './stub.ts';

/** A verb that leads from `verified` to `verified` by one step that does nothing. */
export function verb(name: string): Stub {
  const id = camel(name);
  const operation = `${id}Operation`;
  const more = todo('what clients see, and what happens when it fails.');
  const command = `  '${name}': '${more}',\n`;
  return {
    files: {
      [`src/operations/verbs/${name}.ts`]: `import type { Operation } from '../engine/operation.ts';

/** ${todo('what it promises, and what a crash of it leaves.')} */
export const ${operation}: Operation = {
  verb: '${name}',
  clientsWait: () => 0,
  validate: () => Promise.resolve([]),
  start: [
    {
      id: '${name}',
      title: '${sentence(name).toLowerCase()}',
      why: '${todo('what would go wrong without it')}',
      risk: 'none',
      run: () => Promise.resolve('nothing to do'),
    },
  ],
  complete: [],
};
`,
      [`docs/operations/${name}.md`]: `# ${name}

\`verified\` → \`verified\`. ${todo('what it does, in a line.')}

- **Longest wait of clients**: none.
- **When it fails**: it is undone. **When it is killed**: the same command goes on where it was.

## Steps

### ${name}
${todo('what it does, what can go wrong, what to do.')}
`,
    },
    lines: [
      { file: 'src/model/transitions.ts', before: "'abandon'", text: `'${name}', ` },
      {
        file: 'src/model/transitions.ts',
        before: "  { from: 'seeded', verb: 'abandon'",
        text: `  { from: 'verified', verb: '${name}', to: 'verified', reason: '${todo('why the edge exists')}' },\n`,
      },
      { file: 'src/model/recovery.ts', before: '  abandon: ', text: `  '${name}': true,\n` },
      {
        file: 'src/cli/plan-summary.ts',
        before: '  abandon: () =>',
        text: `  '${name}': () => '${todo('what it does, in a line')}',\n`,
      },
      { file: 'src/cli/plan-summary.ts', before: '  abandon: []', text: `  '${name}': [],\n` },
      { file: 'src/cli/verbs.ts', before: '  abandon: ', text: command },
      {
        file: 'src/cli/summaries.ts',
        before: '  abandon: ',
        text: `  '${name}': '${todo('what it does, in a line')}',\n`,
      },
      {
        file: 'src/operations/table.ts',
        before: '\nexport interface PerformOptions',
        text: `import { ${operation} } from './verbs/${name}.ts';\n`,
      },
      { file: 'src/operations/table.ts', before: '  abandon: () =>', text: `  '${name}': () => ${operation},\n` },
      {
        file: 'test/faults/verbs.test.ts',
        before: '  // That an admitted reader',
        text: `  { verb: '${name}', to: 'verified' },\n`,
      },
      {
        file: 'docs/reference.md',
        before: '| `canary` | `--dry-run`',
        text: `| \`${name}\` | \`--dry-run\`, \`--reason <text>\` | [${name}](operations/${name}.md) |\n`,
      },
      {
        file: 'docs/state-machine.md',
        before: 'seeded --abandon--> single',
        text: `verified --${name}--> verified: ${todo('why the edge exists')}\n`,
      },
      {
        file: 'docs/state-machine.md',
        before: '| `abandon` | continue',
        text: `| \`${name}\` | continue | complete | revert |\n`,
      },
      {
        file: 'docs/README.md',
        before: '[abandon](operations/abandon.md), [release]',
        text: `[${name}](operations/${name}.md), `,
      },
    ],
    next: [
      `write its row and reason in src/model/transitions.ts, its steps in src/operations/verbs/${name}.ts`,
      'src/model/recovery.ts: true where a killed one goes on, false where it holds or fences clients and must be undone',
      'npm run schema   # hooks may name it',
      'npx tsc   # what else wants to know of it is a type error',
      'npx vitest run test/model test/docs -u   # the golden edges are printed from the table; pages are compared with it',
      'undo it at its commit point: its row in `way` of test/faults/verbs.test.ts, which `npm test` only compiles:',
      'npx vitest run --config vitest.chains.config.ts test/faults/verbs.test.ts',
    ],
  };
}
