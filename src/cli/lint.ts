import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { buffer } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { colors } from './colors.ts';
import { count } from '../model/count.ts';
import { exitCodes } from '../model/error-catalogue.ts';
import { pointer } from '../model/pointer.ts';
import { describe, VerdigrisError } from '../model/errors.ts';
import { failLevelNames, type LintConfig } from '../migrations/lint/config.ts';
import { exceeds, type LintInput, type LintReport } from '../migrations/lint/finding.ts';
import { lintFiles } from '../migrations/lint/lint.ts';
import { applyBaseline, baselineName, writeBaseline } from '../migrations/lint/workspace/baseline.ts';
import { settingsNames, surroundingsOf, type Surroundings } from '../migrations/lint/workspace/find-settings.ts';
import { declaredFolders } from '../migrations/lint/workspace/declared.ts';
import { markApplied } from '../migrations/lint/workspace/since.ts';
import { gitlabReport } from '../migrations/lint/output/gitlab.ts';
import { githubReport } from '../migrations/lint/output/github.ts';
import { jsonReport } from '../migrations/lint/output/json.ts';
import { sarifReport } from '../migrations/lint/output/sarif.ts';
import { plainPainter, textReport, type Painter } from '../migrations/lint/output/text.ts';
import { configurationOf } from '../migrations/lint/workspace/configuration.ts';
import { fixFiles, type Fixed } from '../migrations/lint/workspace/fix.ts';
import { replaceFile } from '../machine/durable.ts';
import { sqlFiles } from '../migrations/lint/walk.ts';
import { graded } from './lint-database.ts';
import { ruleList, ruleText } from './lint-rules.ts';

interface Options {
  readonly format: 'text' | 'json' | 'sarif' | 'github' | 'gitlab';
  readonly config?: string;
  readonly failOn?: LintConfig['failOn'];
  readonly postgres?: string;
  readonly target?: LintConfig['target'];
  readonly since?: string;
  readonly baseline?: string;
  readonly accept?: boolean;
  readonly fix?: boolean;
  readonly diff?: boolean;
  readonly lsp?: boolean;
  readonly database?: string;
  readonly stdin?: string | boolean;
  readonly listRules?: boolean;
  readonly explain?: string;
}

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
    .summary('find what migrations lock, rewrite, break or destroy')
    .description('Checks SQL migrations with PostgreSQL’s own parser. Changes nothing.')
    .argument(
      '[paths...]',
      'files, or folders with *.sql files, in the order in which they are applied (default: what verdigris.yaml declares for the next release)',
    )
    .addOption(
      new Option('--format <format>', 'output').choices(['text', 'json', 'sarif', 'github', 'gitlab']).default('text'),
    )
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
    .action((paths: string[], options: Options) => guarded(() => run(paths, options)));
}

async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const next =
      error instanceof VerdigrisError ? `\nRequired: ${error.required}\nNext: ${error.next}\n${pointer(error.id)}` : '';
    process.stderr.write(`${describe(error)}${next}\n`);
    process.exitCode = exitCodes[error instanceof VerdigrisError ? error.code : 'failed'];
  }
}

async function run(given: readonly string[], options: Options): Promise<void> {
  if (options.listRules === true) return print(ruleList());
  if (options.explain !== undefined) return print(ruleText(options.explain));
  // V8's optimising compiler takes half a gigabyte for the parser's WebAssembly, and more time than it saves.
  // `--liftoff-only` stands for these two on Node's command line, and has no effect once V8 runs.
  for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
  if (options.lsp === true) return (await import('./language-server.ts')).serveEditor();
  // Nor does it save what it takes for the linter's own code: a run is over before that pays.
  setFlagsFromString('--no-opt');
  const paths = given.length > 0 || takesStdin(options) ? given : await declaredFolders(path.resolve('.'));
  const around = await surroundingsOf(paths);
  const config = await configuration(options, around);
  const found = await inputs(paths, options);
  const files = options.since === undefined ? found : await markApplied(found, options.since);
  const settings = options.config ?? around.settings;
  const named = files.map((file) => ({ ...file, globPaths: globPaths(file.path, settings) }));
  const report = await lintFiles(named, config);
  const baseline = options.baseline ?? around.baseline;
  if (options.accept === true) return accept(report, baseline ?? newBaseline(settings));
  const withoutAccepted = (all: LintReport) => (baseline === undefined ? all : applyBaseline(all, baseline));
  let kept = await withoutAccepted(report);
  if (options.diff === true || options.fix === true) {
    const fixes = await fixFiles(named, config, kept);
    if (options.diff === true) {
      await print(await diffOf(fixes));
      if (fixes.length > 0) process.exitCode = exitCodes.refused;
      return;
    }
    await writeFixes(fixes);
    const texts = new Map(fixes.map((fix) => [fix.path, fix.after]));
    const again = named.map((file) => ({ ...file, text: texts.get(file.path) ?? file.text }));
    kept = await withoutAccepted(await lintFiles(again, config));
  }
  const sized = options.database === undefined ? kept : await graded(kept, options.database);
  await print(render({ ...sized, ...judged(around, options) }, options.format));
  if (exceeds(sized, config.failOn)) process.exitCode = exitCodes.refused;
}

async function accept(report: LintReport, file: string): Promise<void> {
  await writeBaseline(report, file);
  await print(
    `${count(report.findings.length, 'finding')} accepted in ${file}. Commit it: what is found from now on is new.`,
  );
}

async function diffOf(fixes: readonly Fixed[]): Promise<string> {
  const { createTwoFilesPatch } = await import('diff');
  return fixes.map(({ path: file, before, after }) => createTwoFilesPatch(file, file, before, after)).join('');
}

async function writeFixes(fixes: readonly Fixed[]): Promise<void> {
  for (const { path: file, after, findings } of fixes) {
    await replaceFile(file, after);
    process.stderr.write(`${count(findings.length, 'finding')} fixed in ${file}\n`);
  }
}

/** Beside the configuration, else in the working folder. */
function newBaseline(settings: string | undefined): string {
  return path.join(settings === undefined ? '.' : path.dirname(settings), baselineName);
}

function configuration(options: Options, around: Surroundings): Promise<LintConfig> {
  return configurationOf(options.config === undefined ? around : { ...around, settings: options.config }, {
    ...(options.failOn === undefined ? {} : { failOn: options.failOn }),
    ...(options.postgres === undefined ? {} : { postgres: Number(options.postgres) }),
    ...(options.target === undefined ? {} : { target: options.target }),
  });
}

/** Said where an environment chose, and nobody else did. */
function judged({ environment, settings }: Surroundings, options: Options): { readonly judged?: string } {
  const chosen = options.target ?? options.failOn ?? options.config ?? settings;
  if (!environment || chosen !== undefined) return {};
  return {
    judged:
      `Judged as migrations of ${path.relative('.', environment.file)}: for the candidate, failing on errors. ` +
      `Stricter: \`--fail-on warning\`, and \`--target live\` for migrations that run on a live database too.`,
  };
}

function takesStdin({ stdin }: Options): boolean {
  return stdin !== undefined && stdin !== false;
}

async function inputs(paths: readonly string[], options: Options): Promise<LintInput[]> {
  const files = await sqlFiles(paths);
  if (takesStdin(options)) {
    files.push({
      path: typeof options.stdin === 'string' ? options.stdin : 'stdin.sql',
      text: await buffer(process.stdin),
    });
  }
  if (files.length === 0) {
    throw new VerdigrisError('lint-nothing', {
      seen:
        paths.length === 0
          ? 'No path was given, and no verdigris.yaml here or above declares a folder of migrations.'
          : `There is no *.sql file in ${paths.join(', ')}.`,
      required: 'files or folders, or --stdin.',
      next: 'verdigris lint <folder of migrations>',
    });
  }
  return files;
}

/** The file as `ignore` may name it: from the configuration's folder, from the working folder, or in full. */
function globPaths(file: string, config: string | undefined): readonly string[] {
  const full = path.resolve(file);
  return [path.relative(config === undefined ? '.' : path.dirname(config), full), path.relative('.', full), full];
}

function render(report: LintReport, format: Options['format']): string {
  if (format === 'json') return jsonReport(report);
  if (format === 'sarif') return sarifReport(report);
  if (format === 'gitlab') return gitlabReport(report);
  return format === 'github' ? githubReport(report) : textReport(report, painter());
}

function painter(): Painter {
  if (!process.stdout.isTTY) return plainPainter;
  return { error: colors.red, warning: colors.yellow, info: colors.cyan, dim: colors.dim, bold: colors.bold };
}

/** Waits until a pipe has taken everything: a report may be larger than its buffer. */
function print(text: string): Promise<void> {
  return new Promise((resolve) =>
    process.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`, () => resolve()),
  );
}
