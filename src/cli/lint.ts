import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { buffer } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import pg from 'pg';
import { withFixedPath } from '../postgres/client.ts';
import colors from 'yoctocolors';
import { exitCodes } from '../model/error-catalogue.ts';
import { nearest } from '../model/nearest.ts';
import { pointer } from '../model/pointer.ts';
import { describe, VerdigrisError } from '../model/errors.ts';
import { failLevelNames, parseLintConfig, type LintConfig } from '../migrations/lint/config.ts';
import { exceeds, type LintInput, type LintReport } from '../migrations/lint/finding.ts';
import { gradeByDatabase } from '../migrations/lint/grade.ts';
import { lintFiles } from '../migrations/lint/lint.ts';
import { githubReport } from '../migrations/lint/output/github.ts';
import { jsonReport } from '../migrations/lint/output/json.ts';
import { sarifReport } from '../migrations/lint/output/sarif.ts';
import { plainPainter, textReport, type Painter } from '../migrations/lint/output/text.ts';
import { rulePage } from '../migrations/lint/page.ts';
import { ruleIds, ruleOf, lintRules } from '../migrations/lint/rules/index.ts';
import { readSettings } from '../migrations/lint/settings-file.ts';
import { sqlFiles } from '../migrations/lint/walk.ts';

interface Options {
  readonly format: 'text' | 'json' | 'sarif' | 'github';
  readonly config?: string;
  readonly failOn?: LintConfig['failOn'];
  readonly postgres?: string;
  readonly target?: LintConfig['target'];
  readonly since?: string;
  readonly database?: string;
  readonly stdin?: string | boolean;
  readonly listRules?: boolean;
  readonly explain?: string;
}

const help = `
What it finds      locks and rewrites, what software N cannot live with, what stops replication or
                   takes away the lossless rollback, what destroys. Each finding says where it
                   matters and how to do it safely.
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
  git diff --cached --name-only --diff-filter=ACM -- '*.sql' | xargs -r verdigris lint
  verdigris lint --explain set-not-null-scan`;

/** `verdigris lint`: the linter for people, pipelines and pre-commit. Needs no environment, and no database unless it is given one. */
export function lintCommand(): Command {
  return new Command('lint')
    .summary('find what migrations lock, rewrite, break or destroy')
    .description('Checks SQL migrations with PostgreSQL’s own parser. Changes nothing.')
    .argument('[paths...]', 'files, or folders with *.sql files, in the order in which they are applied')
    .addOption(new Option('--format <format>', 'output').choices(['text', 'json', 'sarif', 'github']).default('text'))
    .option('--config <file>', 'YAML or JSON with a verdigris-lint section')
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
    .option('--since <file>', 'first file that is not applied yet: those before it are read, not linted')
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

async function run(paths: readonly string[], options: Options): Promise<void> {
  if (options.listRules === true) return print(ruleList());
  if (options.explain !== undefined) return print(explain(options.explain));
  // V8's optimising compiler takes half a gigabyte for the parser's WebAssembly, and more time than it saves. `--liftoff-only`
  // stands for these two on Node's command line, and has no effect once V8 runs.
  for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
  const config = await configuration(options);
  const files = applied(await inputs(paths, options), options.since).map((file) => ({
    ...file,
    globPaths: globPaths(file.path, options.config),
  }));
  const linted = await lintFiles(files, config);
  const report = options.database === undefined ? linted : await graded(linted, options.database);
  await print(render(report, options.format));
  if (exceeds(report, config.failOn)) process.exitCode = exitCodes.refused;
}

async function configuration(options: Options): Promise<LintConfig> {
  const settings = options.config === undefined ? {} : ((await readSettings(options.config)) ?? {});
  const given = {
    ...(options.failOn === undefined ? {} : { failOn: options.failOn }),
    ...(options.postgres === undefined ? {} : { postgres: Number(options.postgres) }),
    ...(options.target === undefined ? {} : { target: options.target }),
  };
  return parseLintConfig(typeof settings === 'object' ? { ...settings, ...given } : settings, ruleIds);
}

async function inputs(paths: readonly string[], options: Options): Promise<LintInput[]> {
  const files = await sqlFiles(paths);
  if (options.stdin !== undefined && options.stdin !== false) {
    files.push({
      path: typeof options.stdin === 'string' ? options.stdin : 'stdin.sql',
      text: await buffer(process.stdin),
    });
  }
  if (files.length === 0) {
    throw new VerdigrisError('lint-nothing', {
      seen: paths.length === 0 ? 'No path was given.' : `There is no *.sql file in ${paths.join(', ')}.`,
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

function applied(files: readonly LintInput[], since: string | undefined): readonly LintInput[] {
  if (since === undefined) return files;
  const first = files.findIndex((file) => path.resolve(file.path) === path.resolve(since));
  if (first < 0) {
    throw new VerdigrisError('lint-since', {
      seen: `${since} is none of the ${files.length} files.`,
      required: '--since one of the files given.',
      next: 'fix the path.',
    });
  }
  return files.map((file, index) => ({ ...file, applied: index < first }));
}

/** The address may hold a password: it is not part of any message. */
async function graded(report: LintReport, url: string): Promise<LintReport> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'verdigris/lint',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await withFixedPath(client, () => gradeByDatabase(report, client));
  } catch (cause) {
    throw new VerdigrisError('lint-database', {
      seen: 'The database could not be asked for its tables’ sizes.',
      required: 'a connection that may read the catalogue.',
      next: 'fix --database, or leave it out.',
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

function render(report: LintReport, format: Options['format']): string {
  if (format === 'json') return jsonReport(report);
  if (format === 'sarif') return sarifReport(report);
  return format === 'github' ? githubReport(report) : textReport(report, painter());
}

function painter(): Painter {
  if (!process.stdout.isTTY) return plainPainter;
  return { error: colors.red, warning: colors.yellow, info: colors.cyan, dim: colors.dim, bold: colors.bold };
}

function ruleList(): string {
  const width = Math.max(...ruleIds.map((id) => id.length));
  return lintRules
    .map(
      (rule) =>
        `${rule.id.padEnd(width)}  ${(rule.off === true ? 'off' : rule.severity).padEnd(7)}  ` +
        `${rule.category.padEnd(13)}  ${rule.where.padEnd(4)}  ${rule.title}`,
    )
    .join('\n');
}

function explain(id: string): string {
  const rule = ruleOf(id);
  if (!rule) {
    const near = nearest(id, ruleIds);
    throw new VerdigrisError('lint-rule', {
      seen: `No rule is called ${id}.`,
      required: 'a rule’s id.',
      next: `${near === undefined ? '' : `did you mean ${near}? `}verdigris lint --list-rules`,
    });
  }
  return rulePage(rule);
}

/** Waits until a pipe has taken everything: a report may be larger than its buffer. */
function print(text: string): Promise<void> {
  return new Promise((resolve) =>
    process.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`, () => resolve()),
  );
}
