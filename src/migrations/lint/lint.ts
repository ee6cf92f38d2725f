import { matchesGlob } from 'node:path';
import { loadModule } from 'libpg-query';
import { parseLintConfig, type LintConfig, type LintSettings } from './config.ts';
import { Schema } from './facts.ts';
import type { LintFinding, LintInput, LintReport, SuppressedFinding } from './finding.ts';
import { lintFile, readFile, type FileResult } from './lint-file.ts';
import { ruleIds } from './rules/index.ts';

/**
 * Lints migrations in the order given. Earlier files tell the schema that later ones are judged by. Files marked `applied`, and those
 * that `ignore` matches, are read for that only; the rest are then one release, so that what one of them makes is new to the others.
 * With no file marked, each is a release of its own, as in a folder's history.
 *
 * Pure over text: no file, database or environment is read. Throws a usage error where the settings are off; faults of the files
 * are findings.
 */
export async function lintFiles(files: readonly LintInput[], settings: LintSettings = {}): Promise<LintReport> {
  const config = parseLintConfig(settings, ruleIds);
  await loadModule();
  const schema = new Schema();
  const release = files.some((file) => file.applied === true);
  const findings: LintFinding[] = [];
  const suppressed: SuppressedFinding[] = [];
  let [count, statements] = [0, 0];
  for (const [index, file] of files.entries()) {
    const read = file.applied === true || ignored(file.path, config);
    schema.batch = read || !release ? index : files.length;
    schema.defaultSchema = 'public';
    if (read) {
      readFile(file, schema);
      continue;
    }
    const result: FileResult = lintFile(file, schema, config);
    findings.push(...result.findings);
    suppressed.push(...result.suppressed);
    count++;
    statements += result.statements;
  }
  return { files: count, statements, target: config.target, findings, suppressed };
}

function ignored(path: string, config: LintConfig): boolean {
  return config.ignore.some((glob) => matchesGlob(path, glob));
}
