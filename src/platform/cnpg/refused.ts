import { VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { CnpgProblem } from './problems.ts';

/** What a gate says of a Cluster; `at` names it. */
export function unfitCluster(at: string, problems: readonly CnpgProblem[]): Finding {
  return finding('cnpg-unfit', {
    title: `${at} cannot go through a release as it is`,
    objects: problems.map(({ name, seen }) => `${name}: ${seen}`),
    reason: 'Its operator would undo what a switchover does, or a failover would lose what replication brought.',
    fix: problems.map(({ name, fix }) => `${name}: ${fix}.`).join(' '),
  });
}

/** As `cnpg-unfit`, of what is not even begun. */
export function cnpgRefused(at: string, problems: readonly CnpgProblem[]): VerdigrisError {
  const listed = (of: 'seen' | 'fix') => indented(problems.map((problem) => `${problem.name}: ${problem[of]}`));
  return new VerdigrisError('cnpg-refused', {
    seen: `${at} cannot be a colour as it is:\n${listed('seen')}`,
    required: 'a Cluster whose operator does not undo what a release does, and whose failover loses nothing of it.',
    next: `change it, then run the same command again; nothing was changed:\n${listed('fix')}`,
    facts: { problems },
  });
}
