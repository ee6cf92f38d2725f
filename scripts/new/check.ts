import { camel, sentence, type Stub } from './stub.ts';

/** A check of preflight that finds nothing until its author asks the server something. */
export function check(name: string): Stub {
  const id = camel(name);
  const registry = 'src/postgres/preflight/registry.ts';
  const title = sentence(name).toLowerCase();
  return {
    files: {
      [`src/postgres/preflight/${name}.ts`]: `import { rows } from '../client.ts';
import { found, type Check } from './check.ts';

/** Source of the fact: the page of PostgreSQL's documentation. */
export const ${id}: Check = {
  id: '${name}',
  hazards: [],
  title: '${title}',
  on: 'live',
  when: ['seed'],
  findings: ['${name}'],
  run: async (client) =>
    found('${name}', {
      objects: (await rows<{ name: string }>(client, 'SELECT relname AS name FROM pg_class WHERE false')).map(
        (row) => row.name,
      ),
      title: '${title}',
      reason: 'What it does to a release.',
      fix: 'A statement that a person can run as it is.',
    }),
};
`,
    },
    lines: [
      { file: registry, before: '\n/**', text: `import { ${id} } from './${name}.ts';\n` },
      { file: registry, before: '];', text: `  ${id},\n` },
      {
        file: 'src/model/finding-catalogue.ts',
        before: "  'partition-rewritten'",
        text: `  '${name}': { grade: 'warn' },\n`,
      },
      {
        file: 'docs/findings.md',
        before: '## database-encoding',
        text:
          `## ${name}\n\n*warn.* ${sentence(name)}.\n\n**Why it hurts.** What it does to a release.\n\n` +
          '**What to do.** What a person can do as it is.\n\n',
      },
    ],
    next: [
      `ask the server: src/postgres/preflight/${name}.ts; grade and fixed words: src/model/finding-catalogue.ts`,
      `write its section in docs/findings.md and its test beside those of test/postgres/preflight`,
      'npx vitest run test/docs test/postgres/preflight',
      'npm run check',
    ],
  };
}
