import { matchesGlob } from 'node:path';
import { loadModule } from 'libpg-query';
import { lintDefaults, type LintConfig, type LintSettings } from './config.ts';
import { Schema } from './facts.ts';
import type { LintFinding, LintInput, LintReport, SuppressedFinding } from './finding.ts';
import { dispatchFor, lintFile, readFile } from './lint-file.ts';
import { contractNotes } from './notes.ts';
import { Source } from './source.ts';

/**
 * Lints migrations in the order given. Earlier files tell the schema that later ones are judged by. Files marked
 * `applied`, and those that `ignore` matches, are read for that only. Where `applied` is said of any file, those that
 * are not applied are one release: what one of them makes is new to the others. Where it is said of none, each file is
 * a release of its own, as in a folder's history.
 *
 * Pure over text: no file, database or environment is read. Faults of the files are findings.
 */
export async function lintFiles(files: readonly LintInput[], settings: LintSettings = {}): Promise<LintReport> {
  const config: LintConfig = { ...lintDefaults, ...settings };
  await loadModule();
  const schema = new Schema();
  const dispatch = dispatchFor(config);
  const release = files.some((file) => file.applied !== undefined);
  // A note speaks for its release, whichever of its files it is in, as `migrate` reads it.
  const notes = release
    ? files
        .filter((file) => file.applied !== true)
        .flatMap((file) => contractNotes(new Source(file.path, file.text)).notes)
    : [];
  const findings: LintFinding[] = [];
  const suppressed: SuppressedFinding[] = [];
  let [count, statements] = [0, 0];
  for (const [index, file] of files.entries()) {
    const read = file.applied === true || ignored(file, config);
    schema.batch = read || !release ? index : files.length;
    schema.defaultSchema = 'public';
    if (read) {
      readFile(new Source(file.path, file.text), schema);
      continue;
    }
    const result = lintFile(new Source(file.path, file.text), schema, { config, dispatch, notes });
    findings.push(...result.findings);
    suppressed.push(...result.suppressed);
    count++;
    statements += result.statements;
  }
  return { files: count, statements, target: config.target, findings, suppressed };
}

function ignored({ path, globPaths = [path] }: LintInput, config: LintConfig): boolean {
  return config.ignore.some((glob) => globPaths.some((one) => matchesGlob(one, glob)));
}
