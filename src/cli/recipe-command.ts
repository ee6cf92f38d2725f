import path from 'node:path';
import type { Command } from 'commander';
import { other } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import type { Recipe } from '../migrations/expand-contract/recipes/expand.ts';
import { numbered, writeRecipe } from '../migrations/expand-contract/recipes/files.ts';
import { withObserver } from '../operations/observer.ts';
import { colors } from './colors.ts';
import { withCommonOptions, type CommonOptions, type CliSession } from './session.ts';

export interface RecipeOptions extends CommonOptions {
  readonly folder?: string;
  readonly dryRun?: boolean;
  readonly as?: string;
  readonly using?: string;
  readonly back?: string;
  readonly lastUsedBy?: string;
}

export function recipe(command: Command): Command {
  return withCommonOptions(command)
    .option('--folder <path>', 'where the files go (default: the migrations of the colour that is not live)')
    .option('--dry-run', 'print the files, write nothing')
    .exitOverride();
}

/** Options that both the command and its subcommand know end up with the former. */
export function optionsOf(self: Command): RecipeOptions {
  return self.optsWithGlobals<RecipeOptions>();
}

export function namedTable(table: string): { readonly schema: string; readonly table: string } {
  const [first = '', second] = table.replaceAll('"', '').split('.');
  return second === undefined ? { schema: 'public', table: first } : { schema: first, table: second };
}

export function observed(session: CliSession, use: Parameters<typeof withObserver<void>>[1]): Promise<void> {
  const { environment, platform, emit, signal } = session;
  return withObserver({ environment, platform, emit, signal }, use);
}

/** Writes the files, or prints them. */
export async function finish(
  { environment, reporter, platform }: CliSession,
  options: RecipeOptions,
  written: Recipe,
): Promise<void> {
  const live = (await platform.traffic.status()).live ?? environment.live;
  const folder = options.folder ?? environment.colours[other(live)]?.migrations;
  if (folder === undefined)
    throw new VerdigrisError('recipe-folder', {
      seen: `colours.${other(live)} declares no migrations.`,
      required: 'a folder for the files.',
      next: 'name it with --folder, or declare it.',
    });
  const files = await numbered(folder, written);
  if (!options.dryRun) await writeRecipe(files);
  const shown = files.map((file) =>
    options.dryRun
      ? `${colors.bold(path.relative('.', file.path))}\n\n${file.text}`
      : `wrote ${path.relative('.', file.path)}`,
  );
  reporter.result({ dryRun: options.dryRun === true, files, next: written.next }, () =>
    [...shown, ...written.next.map((text) => `next: ${text}`)].join('\n'),
  );
}
