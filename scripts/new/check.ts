import { camel, sentence, todo, type Stub } from './stub.ts';

/** A check of preflight that finds nothing until its author asks the server something. */
export function check(name: string): Stub {
  const id = `${camel(name)}Check`;
  const registry = 'src/postgres/preflight/registry.ts';
  const title = sentence(name).toLowerCase();
  return {
    files: {
      [`src/postgres/preflight/${name}.ts`]: `import { rows } from '../client.ts';
import { found, type Check } from './check.ts';

/** ${todo('source of the fact, for example https://www.postgresql.org/docs/17/….')} */
export const ${id}: Check = {
  id: '${name}',
  hazards: [], // rows of docs/hazards.md that it answers, or none
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
      reason: '${todo('what it does to a release.')}',
      fix: '${todo('statements that a person can run as they are, one a line.')}',
    }),
};
`,
    },
    lines: [
      { file: registry, before: '\n/**', text: `import { ${id} } from './${name}.ts';\n` },
      { file: registry, before: '];', text: `  ${id},\n` },
      {
        file: 'src/model/finding-catalogue.ts',
        before: '  // docs/errors.md\n',
        text: `  '${name}': { grade: 'warn' },\n`,
      },
      {
        file: 'docs/findings.md',
        before: '## session-state',
        text:
          `## ${name}\n\n*warn.* ${todo('what is there.')}\n\n**Why it hurts.** ${todo('what it does to a release.')}\n\n` +
          `**What to do.** ${todo('what a person can do as it is.')}\n\n`,
      },
    ],
    next: [
      `ask the server: src/postgres/preflight/${name}.ts; grade and fixed words: src/model/finding-catalogue.ts`,
      'move it to its place in src/postgres/preflight/registry.ts: findings of one grade are shown in that order',
      'name it in the row of docs/hazards.md of each number in `hazards`; test/postgres/preflight/clean.test.ts compares them',
      'write its section in docs/findings.md, beside its like',
      'write its test in the file of test/postgres/preflight that is nearest in subject (findingOf and fixes: support.ts)',
      '  a setting that only another major has: withServer(…, settings, 18)',
      'npx vitest run test/docs test/postgres/preflight',
    ],
  };
}
