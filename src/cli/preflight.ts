import { count } from '../model/count.ts';
import { refusals } from '../model/finding.ts';
import { Command } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import { withObserver } from '../operations/operator.ts';
import { preflightFindings } from '../operations/gates/preflight.ts';
import { capabilityTable, tryCapabilities } from '../postgres/capabilities/try.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

export function preflightCommand(): Command {
  return withCommonOptions(new Command('preflight'))
    .summary('what blocks a release, and the statement that fixes it')
    .description(
      'Checks the live database for every known hazard, and uses once what a switchover could not do ' +
        'without. Tries what its role may do there, in transactions that are rolled back, and says what to ask for. ' +
        'Changes nothing. Exits with 4 where a finding refuses.\n`verdigris explain FINDING` says what one means.',
    )
    .action((options: CommonOptions) =>
      withSession(options, async ({ environment, platform, reporter, signal }) => {
        const { findings, capabilities } = await withObserver(
          { environment, platform, emit: () => undefined, signal },
          async (c) => ({
            findings: await preflightFindings(c, 'seed'),
            capabilities: await c.on(c.live, tryCapabilities),
          }),
        );
        for (const finding of findings) reporter.event({ type: 'finding', gate: 'preflight', finding });
        reporter.result({ findings, capabilities }, `\n${capabilityTable(capabilities)}\n${summary(findings)}`);
        const refused = refusals(findings);
        if (refused.length > 0) {
          throw new VerdigrisError('preflight-refused', {
            seen: `${count(refused.length, 'finding blocks', 'findings block')} a release: ${refused.map(({ id }) => id).join(', ')}.`,
            required: 'no blocking findings.',
            next: 'run the statements under `fix`, then preflight again.',
          });
        }
      }),
    );
}

function summary(findings: readonly Finding[]): string {
  const of = (grade: Finding['grade']): number => findings.filter((finding) => finding.grade === grade).length;
  return `\n${of('refuse')} refuse, ${of('warn')} warn, ${of('info')} info`;
}
