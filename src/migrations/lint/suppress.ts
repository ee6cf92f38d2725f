import type { LintFinding, SuppressedFinding } from './finding.ts';
import type { Range } from './range.ts';
import type { Source } from './source.ts';
import { saidIn } from '../comment-form.ts';
import { tokensOf } from './tokens.ts';

/** `-- verdigris: allow <rule>[, <rule>] because <reason>`, before a statement; `allow-file` at the file's top. */
export interface Suppression {
  readonly range: Range;
  readonly rules: readonly string[];
  readonly reason: string | undefined;
  /** What it covers; undefined where an `allow-file` is not at the top. */
  readonly covers: Range | undefined;
}

const form = /^verdigris:\s*(allow(?:-file)?)\s+([a-z0-9,\s-]*?)(?:\s+because\b\s*(.*?))?\s*$/i;

/** Those of a file. `parts` are its statements and what could not be parsed, in order. */
export function suppressionsOf(source: Source, parts: readonly Range[]): Suppression[] {
  if (!/verdigris:\s*allow/i.test(source.text)) return [];
  return comments(source).flatMap(({ start, end, text }) => {
    const found = form.exec(saidIn(text.trimEnd()));
    if (!found) return [];
    const rules = (found[2] ?? '').split(/[\s,]+/).filter((id) => id !== '');
    const reason = found[3] === undefined || found[3].trim() === '' ? undefined : found[3].trim();
    const top = start <= (parts[0]?.start ?? source.length);
    const next = parts.find((part) => part.end > start);
    const covers =
      found[1]?.toLowerCase() === 'allow'
        ? { start: Math.min(start, next?.start ?? start), end: next?.end ?? start }
        : top
          ? { start: 0, end: source.length }
          : undefined;
    return [{ range: { start, end }, rules, reason, covers }];
  });
}

function comments(source: Source): { readonly start: number; readonly end: number; readonly text: string }[] {
  const tokens = tokensOf(source.text, 0);
  if (tokens.length > 0) return tokens.filter((token) => token.comment);
  // A file that cannot be scanned, or of psql's commands: line by line is all there is.
  let start = 0;
  return source.text.split('\n').flatMap((line) => {
    const at = start;
    start += Buffer.byteLength(line) + 1;
    const dash = line.indexOf('--');
    return dash < 0
      ? []
      : [
          {
            start: at + Buffer.byteLength(line.slice(0, dash)),
            end: at + Buffer.byteLength(line),
            text: line.slice(dash),
          },
        ];
  });
}

export interface Suppressed {
  readonly kept: readonly LintFinding[];
  readonly suppressed: readonly SuppressedFinding[];
  /** Suppressions at fault: what is wrong with each. */
  readonly faults: readonly {
    readonly rule: 'suppression-without-reason' | 'suppression-unused';
    readonly range: Range;
    readonly message: string;
  }[];
}

/** Applies a file's suppressions. One without a reason has no effect but a finding of its own. */
export function applySuppressions(
  findings: readonly LintFinding[],
  suppressions: readonly Suppression[],
  known: readonly string[],
  off: ReadonlySet<string>,
): Suppressed {
  const suppressed: SuppressedFinding[] = [];
  const faults: Suppressed['faults'][number][] = [];
  const gone = new Set<LintFinding>();
  for (const { range, rules, reason, covers } of suppressions) {
    if (reason === undefined) {
      faults.push({
        rule: 'suppression-without-reason',
        range,
        message: 'No reason is given, so nothing is suppressed: add `because …`.',
      });
      continue;
    }
    for (const rule of rules) {
      const hit = findings.filter(
        (finding) =>
          finding.rule === rule && covers && covers.start <= finding.start.byte && finding.start.byte < covers.end,
      );
      for (const finding of hit) {
        if (!gone.has(finding)) suppressed.push({ finding, reason });
        gone.add(finding);
      }
      if (hit.length > 0 || off.has(rule)) continue;
      const message = !known.includes(rule)
        ? `No rule is called ${rule}.`
        : covers
          ? `${rule} finds nothing here.`
          : 'allow-file belongs before the first statement.';
      faults.push({ rule: 'suppression-unused', range, message });
    }
    if (rules.length === 0) faults.push({ rule: 'suppression-unused', range, message: 'It names no rule.' });
  }
  return { kept: findings.filter((finding) => !gone.has(finding)), suppressed, faults };
}
