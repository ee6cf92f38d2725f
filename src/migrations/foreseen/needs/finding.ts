import { finding, type Finding } from '../../../model/finding.ts';
import { bySuperuser } from '../../engines/statement-failed.ts';
import type { Failing } from './unmet.ts';

/** Statements that fail whatever else is right, before a seed is made for them. */
export function failingFindings(failing: readonly Failing[]): Finding[] {
  if (failing.length === 0) return [];
  const [rights, there] = [
    failing.some(({ right }) => right),
    failing.some(({ why }) => why.endsWith('already exists')),
  ];
  return [
    finding('migration-will-fail', {
      objects: failing.map(({ at, why }) => `${at}: ${why}`),
      reason:
        "The live colour's catalogue says so, and no statement before changes it: `migrate` would stop there, after the seed.",
      fix: [
        'Fix the files.',
        ...(there
          ? [
              'Where files of the folder have run on this database already, say up to which: `engine: { tool: …, baseline: … }`.',
            ]
          : []),
        ...(rights ? [bySuperuser] : []),
      ].join(' '),
    }),
  ];
}
