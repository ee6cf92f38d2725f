import { refusals } from '../../model/finding.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { RehearsalReport } from './report.ts';

/** The error that a refused rehearsal ends with. */
export function refusal(report: RehearsalReport): VerdigrisError {
  const refused = refusals(report.findings);
  return new VerdigrisError('rehearsal-refused', {
    seen: `The rehearsal found what blocks a release: ${refused.map(({ title }) => title).join('; ')}.`,
    required: 'nothing that blocks a release.',
    next: 'read the report and change the migrations; the live colour is untouched and nothing was left behind.',
    facts: { findings: refused.map(({ id }) => id) },
  });
}
