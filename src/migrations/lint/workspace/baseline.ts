import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../../../machine/durable.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import type { LintFinding, LintReport } from '../finding.ts';

export const baselineName = 'verdigris-lint-baseline.json';

/**
 * By file, relative to the folder of the baseline, with `/`: the rule and the digest of each finding that is accepted.
 */
async function schema() {
  const { z } = await import('zod');
  return z.strictObject({ version: z.literal(1), accepted: z.record(z.string(), z.array(z.string())) });
}

/** A finding whatever its line: what it says, and the text that it is about. */
function mark({ rule, message, excerpt }: LintFinding): string {
  return `${rule} ${createHash('sha256').update(`${message}\n${excerpt.trim()}`).digest('hex').slice(0, 16)}`;
}

function keyOf(finding: LintFinding, file: string): string {
  return path.relative(path.dirname(path.resolve(file)), path.resolve(finding.path)).replaceAll(path.sep, '/');
}

/** Accepts what was found: of the files that it covers, everything that the baseline said before is replaced. */
export async function writeBaseline(report: LintReport, file: string): Promise<void> {
  const accepted: Record<string, string[]> = {};
  for (const finding of report.findings) (accepted[keyOf(finding, file)] ??= []).push(mark(finding));
  const sorted = Object.fromEntries(Object.entries(accepted).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await replaceFile(file, `${JSON.stringify({ version: 1, accepted: sorted }, null, 1)}\n`);
}

/** The report without what the baseline accepts. Each entry accepts one finding: a second of the same kind is new. */
export async function applyBaseline(report: LintReport, file: string): Promise<LintReport> {
  const left = await readBaseline(file);
  const findings = report.findings.filter((finding) => {
    const marks = left.get(keyOf(finding, file));
    const at = marks?.indexOf(mark(finding)) ?? -1;
    if (at >= 0) marks?.splice(at, 1);
    return at < 0;
  });
  return { ...report, findings, accepted: report.findings.length - findings.length };
}

async function readBaseline(file: string): Promise<Map<string, string[]>> {
  try {
    const { accepted } = (await schema()).parse(JSON.parse(await readFile(file, 'utf8')));
    return new Map(Object.entries(accepted).map(([name, marks]) => [name, [...marks]]));
  } catch (cause) {
    throw new VerdigrisError('lint-config', {
      seen: `${file} is not a baseline of the linter: ${describe(cause)}`,
      required: 'a file that `verdigris lint … --accept` wrote.',
      next: 'write it again with --accept.',
      cause,
    });
  }
}
