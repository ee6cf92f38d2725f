import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { buffer } from 'node:stream/consumers';
import { count } from '../model/count.ts';
import { exitCodes } from '../model/error-catalogue.ts';
import { VerdigrisError } from '../model/errors.ts';
import type { LintConfig } from '../migrations/lint/config.ts';
import { exceeds, type LintInput, type LintReport } from '../migrations/lint/finding.ts';
import { lintFiles } from '../migrations/lint/lint.ts';
import { applyBaseline, baselineName, writeBaseline } from '../migrations/lint/workspace/baseline.ts';
import { surroundingsOf, type Surroundings } from '../migrations/lint/workspace/find-settings.ts';
import { declaredFolders } from '../migrations/lint/workspace/declared.ts';
import { markApplied } from '../migrations/lint/workspace/since.ts';
import { configurationOf } from '../migrations/lint/workspace/configuration.ts';
import { fixFiles, type Fixed } from '../migrations/lint/workspace/fix.ts';
import { replaceFile } from '../machine/durable.ts';
import { sqlFiles } from '../migrations/lint/walk.ts';
import { graded } from './lint-database.ts';
import { print, render, type LintFormat } from './lint-output.ts';
import { ruleList, ruleText } from './lint-rules.ts';

export interface LintOptions {
  readonly format: LintFormat;
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

/** What the options ask for, written to standard output; the exit code is the process's. */
export async function runLint(given: readonly string[], options: LintOptions): Promise<void> {
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

function configuration(options: LintOptions, around: Surroundings): Promise<LintConfig> {
  return configurationOf(options.config === undefined ? around : { ...around, settings: options.config }, {
    ...(options.failOn === undefined ? {} : { failOn: options.failOn }),
    ...(options.postgres === undefined ? {} : { postgres: Number(options.postgres) }),
    ...(options.target === undefined ? {} : { target: options.target }),
  });
}

/** Said where an environment chose, and nobody else did. */
function judged({ environment, settings }: Surroundings, options: LintOptions): { readonly judged?: string } {
  const chosen = options.target ?? options.failOn ?? options.config ?? settings;
  if (!environment || chosen !== undefined) return {};
  return {
    judged:
      `Judged as migrations of ${path.relative('.', environment.file)}: for the candidate, failing on errors. ` +
      `Stricter: \`--fail-on warning\`, and \`--target live\` for migrations that run on a live database too.`,
  };
}

function takesStdin({ stdin }: LintOptions): boolean {
  return stdin !== undefined && stdin !== false;
}

async function inputs(paths: readonly string[], options: LintOptions): Promise<LintInput[]> {
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
