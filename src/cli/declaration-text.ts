import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { docsFolder } from '../model/docs-folder.ts';

/** What a first declaration says. */
export interface Answers {
  readonly name: string;
  readonly platform: 'local' | 'kubernetes';
  readonly database: string;
  readonly writers: readonly string[];
  readonly readers: readonly string[];
  readonly owner: string;
  readonly release: string;
  readonly postgres: number;
  /** Image of PgBouncer, on Kubernetes. */
  readonly pooler: string | undefined;
}

/** A declaration with a comment at each key. `file` is where it will lie: its editor finds the schema from there. */
export function declarationText(answers: Answers, file: string): string {
  const { name, platform, database, writers, readers, owner, release, postgres, pooler } = answers;
  const line = (key: string, value: unknown): string =>
    `${key}: ${stringify(value, { collectionStyle: 'flow' }).trim()}`;
  const next = Number.isInteger(Number(release)) ? String(Number(release) + 1) : `${release}-next`;
  return [
    `# yaml-language-server: $schema=${schemaFor(file)}`,
    '# What this environment should be; `verdigris status` says what it is. Every key: docs/declaration.md.',
    line('name', name),
    line('platform', platform),
    '',
    '# The one database that is released.',
    line('database', database),
    '',
    'roles:',
    '  # These write. `create` makes them, and prints their passwords once.',
    `  ${line('application', writers)}`,
    '  # These only read: a canary may send a share of them to the candidate.',
    `  ${line('readers', readers)}`,
    '  # Owns the database, without a login: migrations run as it, and `verdigris psql --as owner` loads a dump.',
    `  ${line('owner', owner)}`,
    '',
    'colours:',
    '  # The release of your software that runs now.',
    `  blue: { release: ${JSON.stringify(release)}, postgres: ${postgres} }`,
    '  # The next one: take the mark away when it comes, and put its migrations in that folder.',
    `  # green: { release: ${JSON.stringify(next)}, postgres: ${postgres}, migrations: ./migrations }`,
    '',
    '# Which colour takes the writes. To be changed for the switchover, and left as it is afterwards.',
    'live: blue',
    '',
    'retention:',
    '  # For so long a rollback loses nothing; then `retire` makes the release final.',
    '  retained: 1d',
    ...(pooler === undefined
      ? []
      : [
          '',
          'kubernetes:',
          '  # All speak TLS, with certificates that Verdigris makes; who does not is refused.',
          '  tls: {}',
          '  images:',
          '    # PgBouncer 1.21 or newer.',
          `    ${line('pooler', pooler)}`,
        ]),
    '',
  ].join('\n');
}

/** Relative where this installation is part of the project: then it is the same for everybody who has the project. */
function schemaFor(file: string): string {
  const schema = fileURLToPath(new URL('declaration.schema.json', docsFolder()));
  const relative = path.relative(path.dirname(file), schema);
  return relative.startsWith('..') ? schema : relative;
}
