import { Command } from 'commander';
import { count } from '../model/count.ts';
import { VerdigrisError } from '../model/errors.ts';
import { refusals, type Finding } from '../model/finding.ts';
import { applyFixes, fixesOf, type Fixes } from '../operations/fixes/apply.ts';
import { findingsInEach } from '../operations/engine/each.ts';
import { preflightFindings } from '../operations/gates/preflight.ts';
import { withObserver } from '../operations/observer.ts';
import { withOperator } from '../operations/operator.ts';
import { capabilityTable, tryCapabilities } from '../postgres/capabilities/try.ts';
import { agrees, atTerminal } from './ask.ts';
import { unconfirmed } from './consent.ts';
import { withCommonOptions, withSession, type CliSession, type CommonOptions } from './session.ts';

interface Flags extends CommonOptions {
  readonly apply?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
}

export function preflightCommand(): Command {
  return withCommonOptions(new Command('preflight'))
    .description(
      `Checks the live database for every known hazard, and uses once what a switchover could not do without. Tries what its role may
do there, in transactions that are rolled back, and says what to ask for. Changes nothing without --apply. Exits with 4 where a
finding refuses. \`verdigris explain FINDING\` says what one means.`,
    )
    .option(
      '--apply',
      'run the fixes that are safe, after showing them: replica identities, constraints to be validated, statistics',
    )
    .option('-y, --yes', 'with --apply: do not ask')
    .option('--reason <text>', 'with --apply: why, for the history')
    .action((flags: Flags) =>
      withSession(flags, async (session) => {
        let seen = await look(session);
        let applied: readonly string[] | undefined;
        if (flags.apply) {
          applied = await fix(session, await fixesOf(seen.findings), flags);
          if (applied.length > 0) seen = await look(session);
        }
        conclude(session, seen, applied);
      }),
    );
}

async function look({ environment, platform, signal }: CliSession) {
  return withObserver({ environment, platform, emit: () => undefined, signal }, async (c) => ({
    findings: await findingsInEach(c, (inside) => preflightFindings(inside, 'seed')),
    capabilities: await c.on(c.live, tryCapabilities),
  }));
}

/** Shows what it would run and what it leaves, asks where somebody can be asked, and returns what was run. */
async function fix(session: CliSession, { safe, left }: Fixes, flags: Flags): Promise<readonly string[]> {
  const { environment, platform, reporter, signal } = session;
  for (const { id, refused, why } of left)
    reporter.event({ type: 'note', text: `${id} is left to you, since ${why}: ${refused}` });
  for (const { id, statements } of safe)
    reporter.event({ type: 'note', text: `${id}: ${statements.map((each) => `${each};`).join(' ')}` });
  if (safe.length === 0) return [];
  if (!flags.yes && !flags.json && atTerminal()) {
    const what = `${count(safe.flatMap(({ statements }) => statements).length, 'statement')} on the live colour`;
    if (!(await agrees(`Run ${what}?`, signal))) {
      signal.throwIfAborted();
      throw unconfirmed(`This would run ${what}.`);
    }
  }
  const emit = reporter.event.bind(reporter);
  return withOperator({ environment, platform, emit, signal, reason: flags.reason }, 'preflight', (c) =>
    applyFixes(c, safe),
  );
}

function conclude(
  { reporter }: CliSession,
  { findings, capabilities }: Awaited<ReturnType<typeof look>>,
  applied: readonly string[] | undefined,
): void {
  for (const finding of findings) reporter.event({ type: 'finding', gate: 'preflight', finding });
  reporter.result(
    { findings, capabilities, ...(applied && { applied }) },
    (shown) => `\n${capabilityTable(shown.capabilities)}\n${summary(findings)}`,
  );
  const refused = refusals(findings);
  if (refused.length === 0) return;
  throw new VerdigrisError('preflight-refused', {
    seen: `${count(refused.length, 'finding blocks', 'findings block')} a release: ${refused.map(({ id }) => id).join(', ')}.`,
    required: 'no blocking findings.',
    next: applied
      ? 'run the statements under `fix`, then preflight again.'
      : 'run the statements under `fix`, or those that are safe by `verdigris preflight --apply`; then preflight again.',
  });
}

function summary(findings: readonly Finding[]): string {
  const of = (grade: Finding['grade']): number => findings.filter((finding) => finding.grade === grade).length;
  return `\n${of('refuse')} refuse, ${of('warn')} warn, ${of('info')} info`;
}
