import type { LintSettings } from '../config.ts';
import type { Edit, LintFinding, LintInput, LintReport } from '../finding.ts';
import { lintFiles } from '../lint.ts';

export interface Fixed {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly findings: readonly LintFinding[];
}

/**
 * The files with every fix that proves itself: the text is parsed and linted again with all files around it, each
 * finding that was fixed is gone, and none is new. A file where that is not so stays as it is. Nothing is written.
 */
export async function fixFiles(
  files: readonly LintInput[],
  settings: LintSettings,
  report: LintReport,
): Promise<readonly Fixed[]> {
  let fixes = files.flatMap((file) => fixOf(file, report) ?? []);
  // One file's fix can matter to another's findings: what is left is judged again until all that is left proves itself.
  for (;;) {
    const after = await lintFiles(withFixes(files, fixes), settings);
    const good = fixes.filter((fix) => proves(fix, report, after));
    if (good.length === fixes.length) return fixes;
    fixes = good;
  }
}

function withFixes(files: readonly LintInput[], fixes: readonly Fixed[]): LintInput[] {
  const texts = new Map(fixes.map((fix) => [fix.path, fix.after]));
  return files.map((file) => ({ ...file, text: texts.get(file.path) ?? file.text }));
}

function fixOf({ path, text }: LintInput, report: LintReport): Fixed | undefined {
  const bytes = Buffer.from(text);
  const findings: LintFinding[] = [];
  const parts: Buffer[] = [];
  let from = 0;
  const own = report.findings.filter((finding) => finding.path === path && finding.edit);
  for (const finding of own.toSorted((a, b) => (a.edit?.start ?? 0) - (b.edit?.start ?? 0))) {
    const edit = finding.edit as Edit;
    // Of two that overlap the first is made; the other is found again by the next run.
    if (edit.start < from) continue;
    parts.push(bytes.subarray(from, edit.start), Buffer.from(edit.text));
    from = edit.end;
    findings.push(finding);
  }
  if (findings.length === 0) return undefined;
  return {
    path,
    before: bytes.toString(),
    after: Buffer.concat([...parts, bytes.subarray(from)]).toString(),
    findings,
  };
}

function proves({ path, findings }: Fixed, before: LintReport, after: LintReport): boolean {
  const [had, has] = [counts(before, path), counts(after, path)];
  const gone = counts({ findings }, path);
  return (
    [...gone].every(([kind, number]) => (has.get(kind) ?? 0) <= (had.get(kind) ?? 0) - number) &&
    [...has].every(([kind, number]) => number <= (had.get(kind) ?? 0))
  );
}

/** How often a file has each finding, wherever it is. */
function counts({ findings }: Pick<LintReport, 'findings'>, path: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const one of findings)
    if (one.path === path) {
      const kind = `${one.rule} ${one.message}`;
      found.set(kind, (found.get(kind) ?? 0) + 1);
    }
  return found;
}
