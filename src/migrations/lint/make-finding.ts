import { nameLabel } from './ast.ts';
import type { LintConfig } from './config.ts';
import type { LintFinding, Severity } from './finding.ts';
import { blocks } from './locks.ts';
import type { Range } from './range.ts';
import type { Draft, LintRule } from './rule.ts';
import type { Source } from './source.ts';

const longestExcerpt = 300;

/** The finding that a rule's draft becomes under a configuration. */
export function makeFinding(
  rule: LintRule,
  draft: Draft,
  source: Source,
  fallback: Range,
  config: LintConfig,
): LintFinding {
  const range = draft.range ?? fallback;
  const start = source.position(range.start);
  const where = draft.where ?? rule.where;
  const mode = draft.lock === 'none' ? undefined : (draft.lock ?? rule.lock);
  const work = draft.work ?? rule.work ?? 'none';
  const table = draft.table ? nameLabel(draft.table) : undefined;
  const { severity, graded } = severityOf(rule, draft, config, where);
  return {
    rule: rule.id,
    title: rule.title,
    severity,
    category: rule.category,
    where,
    path: source.path,
    start,
    end: source.position(Math.max(range.end, range.start)),
    excerpt: source.line(start.line).slice(0, longestExcerpt),
    message: draft.message,
    why: rule.why,
    ...(draft.fix === undefined ? {} : { fix: draft.fix }),
    ...(draft.edit === undefined ? {} : { edit: draft.edit }),
    ...(mode === undefined ? {} : { lock: { mode, ...(table === undefined ? {} : { table }), blocks: blocks[mode] } }),
    ...(table === undefined ? {} : { table }),
    ...(draft.object === undefined ? {} : { object: draft.object }),
    ...(draft.verdict === undefined ? {} : { verdict: draft.verdict }),
    work,
    rewrites: work === 'rewrite',
    breaksRollback: draft.breaksRollback ?? rule.breaksRollback ?? false,
    ...(graded === undefined ? {} : { graded }),
  };
}

function severityOf(
  rule: LintRule,
  draft: Draft,
  config: LintConfig,
  where: LintFinding['where'],
): { severity: Severity; graded?: string } {
  const set = config.rules[rule.id];
  if (set !== undefined && set !== 'on' && set !== 'off') return { severity: set };
  const severity = draft.severity ?? rule.severity;
  if (where === 'both' || where === config.target || severity === 'info') return { severity };
  const graded =
    config.target === 'candidate'
      ? `${severity} on a live database; here it holds up the apply worker only`
      : `${severity} on a candidate; harmless here`;
  return { severity: 'info', graded };
}

/** Whether the configuration has the rule on. */
export function isOn(rule: LintRule, config: LintConfig): boolean {
  const set = config.rules[rule.id];
  return set === undefined ? rule.off !== true : set !== 'off';
}
