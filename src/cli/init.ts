import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { parse } from 'yaml';
import { parseEnvironment } from '../model/environment.ts';
import { VerdigrisError } from '../model/errors.ts';
import { ask, atTerminal } from './ask.ts';
import { defaultFile } from './default-file.ts';
import { declarationText, type Answers } from './declaration-text.ts';
import { withReporter } from './session.ts';

interface Flags {
  readonly file: string;
  readonly name?: string;
  readonly platform: Answers['platform'];
  readonly database?: string;
  readonly role?: readonly string[];
  readonly reader?: readonly string[];
  readonly owner?: string;
  readonly release?: string;
  readonly postgres?: string;
  readonly pooler?: string;
  readonly json?: boolean;
}

export function initCommand(): Command {
  return new Command('init')
    .description(
      'Writes verdigris.yaml with every key that a first release needs, and a comment at each. Never writes over a file that is there.',
    )
    .option('-f, --file <path>', 'where to write it', defaultFile)
    .option('--name <name>', 'of the environment (default: the name of the folder)')
    .addOption(
      new Option('--platform <platform>', 'where its servers run').choices(['local', 'kubernetes']).default('local'),
    )
    .option('--database <name>', 'the one database that is released (default: the name of the environment)')
    .option('--role <role...>', 'roles that write (default: app)')
    .option('--reader <role...>', 'roles that only read')
    .option('--owner <role>', 'that owns the database, and as which migrations run (default: DATABASE_owner)')
    .option('--release <release>', 'of your software, as it runs now (default: 1)')
    .option('--postgres <major>', 'PostgreSQL major (default: 17)')
    .option('--pooler <image>', 'of PgBouncer, for the platform kubernetes')
    .option('--json', 'the result as a JSON line')
    .action((flags: Flags) =>
      withReporter(flags, async (reporter, signal) => {
        // Before anybody has answered six questions.
        if (existsSync(flags.file)) throw unwritable(flags.file, undefined);
        const answers = await answersOf(flags, signal);
        const text = declarationText(answers, path.resolve(flags.file));
        // What is wrong with an answer is said before anything is written.
        parseEnvironment(parse(text), flags.file);
        await writeNew(flags.file, text);
        reporter.result({ file: flags.file }, () => nextText(flags.file, answers));
      }),
    );
}

/** Every question has an answer to begin with, so that Enter alone makes an environment that works. */
async function answersOf(flags: Flags, signal: AbortSignal): Promise<Answers> {
  const asked = async (question: string, given: string | undefined, otherwise: string): Promise<string> => {
    if (given !== undefined || flags.json || !atTerminal()) return given ?? otherwise;
    return (await ask(`${question}${otherwise === '' ? '' : ` [${otherwise}]`}: `, signal)) || otherwise;
  };
  const { platform } = flags;
  const name = await asked('Name of the environment', flags.name, suggestedName());
  const database = await asked('Database that is released', flags.database, name.replaceAll('-', '_'));
  const writers = await asked('Roles that write, by commas', flags.role?.join(','), 'app');
  const readers = await asked('Roles that only read, by commas', flags.reader?.join(','), '');
  const release = await asked('Release of your software that runs now', flags.release, '1');
  const postgres = await asked('PostgreSQL major', flags.postgres, '17');
  const pooler = platform === 'kubernetes' ? await asked('Image of PgBouncer', flags.pooler, '') : undefined;
  return {
    name,
    platform,
    database,
    writers: list(writers),
    readers: list(readers),
    owner: flags.owner ?? `${database}_owner`,
    release,
    postgres: Number(postgres),
    pooler,
  };
}

function suggestedName(): string {
  const folder = path.basename(process.cwd()).toLowerCase();
  const name = folder.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^[^a-z]+|-+$/g, '');
  return name.slice(0, 30).replace(/-$/, '') || 'shop';
}

function list(text: string): string[] {
  return text.split(',').flatMap((each) => each.trim() || []);
}

async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    throw unwritable(file, cause.code === 'EEXIST' ? undefined : cause);
  });
}

function unwritable(file: string, cause: Error | undefined): VerdigrisError {
  return new VerdigrisError('init-file', {
    seen: cause === undefined ? `${file} is there already.` : `${file} cannot be written: ${cause.message}.`,
    required: 'a new file in an existing folder.',
    next: 'name another one with --file. Nothing was written.',
    cause,
  });
}

function nextText(file: string, { platform }: Answers): string {
  const option = file === defaultFile ? '' : ` --file ${file}`;
  const next =
    platform === 'local'
      ? `verdigris create${option} makes the environment (--from DUMP fills it), verdigris plan${option} says what a release would do`
      : 'the Pulumi program makes the environment of it: docs/kubernetes.md';
  return `${file} is written. Next: ${next}.`;
}
