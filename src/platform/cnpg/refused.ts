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

/** Of a Cluster that nobody has made, or that its owner has deleted. */
export function missingCluster(at: string): VerdigrisError {
  return cnpgRefused(at, [
    { name: 'missing', seen: 'it is not there', fix: 'apply its manifest, or declare the name that it has' },
  ]);
}

export function isMissing(error: unknown): boolean {
  if (!(error instanceof VerdigrisError) || error.id !== 'cnpg-refused') return false;
  const { problems = [] } = (error.facts ?? {}) as { problems?: readonly CnpgProblem[] };
  return problems.some(({ name }) => name === 'missing');
}
