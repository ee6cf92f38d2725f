import { blocks } from './locks.ts';
import type { LintRule } from './rule.ts';

const places = {
  live: 'On a live database. On a candidate it holds up the apply worker for as long, and nobody else.',
  candidate: 'On a candidate.',
  both: 'On the live database and on a candidate.',
};
const does = {
  none: '',
  scan: 'It reads every row.',
  index: 'It builds an index over every row.',
  rewrite: 'It rewrites the table and its indexes.',
};

/** A rule's page of docs/lint, which `--explain` prints as well. */
export function rulePage(rule: LintRule): string {
  const facts = [
    `Severity \`${rule.severity}\`${rule.off === true ? ', off unless the configuration turns it on' : ''}; category ${rule.category}.`,
    ...(rule.lock ? [`Lock: ${rule.lock} ${blocks[rule.lock]}.`] : []),
    ...(rule.work && rule.work !== 'none' ? [does[rule.work]] : []),
    ...(rule.breaksRollback === true ? ['A rollback after it may lose rows.'] : []),
  ];
  return `# ${rule.id}: ${rule.title}

${facts.join(' ')}

## Where it matters

${places[rule.where]}

## Why it hurts

${rule.why}

\`\`\`sql
${rule.bad}
\`\`\`

## What to do instead

${rule.instead}
${rule.remedy === false ? '' : `\n\`\`\`sql\n${rule.good}\n\`\`\`\n`}
To allow it once, before the statement: \`-- verdigris: allow ${rule.id} because <reason>\`
`;
}
