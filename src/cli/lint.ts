import { Command, Option } from 'commander';
import { exitCodes } from '../model/error-catalogue.ts';
import { harmless } from '../model/harmless.ts';
import { pointer } from '../model/pointer.ts';
import { describe, VerdigrisError } from '../model/errors.ts';
import { failLevelNames } from '../migrations/lint/config.ts';
import { baselineName } from '../migrations/lint/workspace/baseline.ts';
import { settingsNames } from '../migrations/lint/workspace/find-settings.ts';
import { lintFormats } from './lint-output.ts';
import { runLint, type LintOptions } from './lint-run.ts';

const help = `
What it finds      locks and rewrites, what the software of the current release (N) cannot live
                   with, what stops replication or takes away the lossless rollback, what destroys.
                   Each finding says where it matters and how to do it safely.
Order matters      earlier files make what later ones work on: give the whole folder, and with
                   --since the first file that is not applied yet. What that release makes itself
                   is then harmless to lock.
Allow one          -- verdigris: allow <rule> because <reason>       before the statement
                   -- verdigris: allow-file <rule> because <reason>  at the file's top
Exit code          0 nothing at or above the level, 4 findings, 2 usage.

Examples
  verdigris lint migrations
  verdigris lint migrations --since migrations/V42__orders.sql --target candidate --postgres 17
  verdigris lint migrations --database postgresql://reader@db/shop
  verdigris lint migrations --since origin/main --format github
  verdigris lint migrations --accept
  verdigris lint --explain set-not-null-scan`;

/**
 * `verdigris lint`: the linter for people, pipelines and pre-commit. Needs no environment, and no database unless it is
 * given one.
 */
export function lintCommand(): Command {
  return new Command('lint')
    .description("Checks SQL migrations with PostgreSQL's own parser. Changes nothing.")
    .argument(
      '[paths...]',
      'files, or folders with *.sql files, in the order in which they are applied (default: what verdigris.yaml declares for the next release)',
    )
    .addOption(new Option('--format <format>', 'output').choices([...lintFormats]).default('text'))
    .option(
      '--config <file>',
      `YAML or JSON with a verdigris-lint section (default: ${settingsNames[0]}, found from the files upwards)`,
    )
    .addOption(new Option('--fail-on <level>', 'lowest severity that fails (default: warning)').choices(failLevelNames))
    .addOption(
      new Option('--postgres <major>', 'major that the migrations run on (default: 17)').choices([
        '15',
        '16',
        '17',
        '18',
      ]),
    )
    .addOption(new Option('--target <where>', 'where they run (default: live)').choices(['live', 'candidate']))
    .option(
      '--since <file|revision>',
      'lint from the first file that is not applied yet, or what changed since a revision of git',
    )
    .option('--baseline <file>', `findings that are accepted (default: ${baselineName}, found from the files upwards)`)
    .option('--accept', 'write everything that is found now into the baseline')
    .addOption(
      new Option('--fix', 'write the fixes that are mechanical and prove themselves').conflicts(['stdin', 'accept']),
    )
    .addOption(new Option('--diff', 'print what --fix would write').conflicts(['stdin', 'accept', 'fix']))
    .option('--lsp', 'serve an editor over standard input and output (Language Server Protocol)')
    .option('--database <url>', 'grade by the sizes of the tables there; reads its catalogue only')
    .option('--stdin [name]', 'lint standard input, under this name')
    .option('--list-rules', 'print the rules')
    .option('--explain <rule>', 'print the page of a rule')
    .addHelpText('after', help)
    .action((paths: string[], options: LintOptions) => guarded(() => runLint(paths, options)));
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const next =
      error instanceof VerdigrisError ? `\nRequired: ${error.required}\nNext: ${error.next}\n${pointer(error.id)}` : '';
    process.stderr.write(`${harmless(`${describe(error)}${next}`)}\n`);
    process.exitCode = exitCodes[error instanceof VerdigrisError ? error.code : 'failed'];
  }
}
