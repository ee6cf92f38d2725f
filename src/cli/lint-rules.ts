import { rulePage } from '../migrations/lint/page.ts';
import { lintRules, ruleIds, ruleOf } from '../migrations/lint/rules/index.ts';
import { VerdigrisError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';

/** One line a rule. */
export function ruleList(): string {
  const width = Math.max(...ruleIds.map((id) => id.length));
  return lintRules
    .map(
      (rule) =>
        `${rule.id.padEnd(width)}  ${(rule.off === true ? 'off' : rule.severity).padEnd(7)}  ` +
        `${rule.category.padEnd(13)}  ${rule.where.padEnd(4)}  ${rule.title}`,
    )
    .join('\n');
}

/** Its page. */
export function ruleText(id: string): string {
  const rule = ruleOf(id);
  if (!rule) {
    const near = nearest(id, ruleIds);
    throw new VerdigrisError('lint-rule', {
      seen: `No rule is called ${id}.`,
      required: "a rule's id.",
      next: `${near === undefined ? '' : `did you mean ${near}? `}verdigris lint --list-rules`,
    });
  }
  return rulePage(rule);
}
