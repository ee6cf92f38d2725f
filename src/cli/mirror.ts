import { Command } from 'commander';
import { Colours } from '../delivery/analysis/colours.ts';
import { mirror } from '../delivery/analysis/mirror/mirror.ts';
import { differingStatements, type MirrorReport } from '../delivery/analysis/mirror/report.ts';
import { milliseconds, percentage } from './numbers.ts';
import { mirrorText } from './mirror-text.ts';
import { other } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import type { Traffic } from '../platform/port/traffic.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

interface MirrorOptions extends CommonOptions {
  readonly share: number;
  readonly for: number;
}

/** Milliseconds of one statement. */
const statementLimit = 5_000;

export function mirrorCommand(): Command {
  return withCommonOptions(new Command('mirror'))
    .description(
      'Takes a share of the statements that clients of the live colour read by, and runs each on both colours, as the ' +
        'role that\ncan only read. No client waits for it. It ends with 1 where rows differ.',
    )
    .option('--share <percent>', 'of what clients read', percentage, 5)
    .option('--for <duration>', 'how long', milliseconds, 30_000)
    .action((options: MirrorOptions) =>
      withSession(options, async ({ environment, platform, reporter, signal }) => {
        const journal = await readJournal(platform.journal);
        const traffic: Traffic = platform.traffic;
        const candidate = other(journal.live);
        if (!traffic.reads) throw unseen();
        if (journal.release === null || journal.release.candidate !== candidate || journal.state === 'seeded')
          throw noCandidate(journal.state);
        const end = AbortSignal.any([signal, AbortSignal.timeout(options.for)]);
        const colours = new Colours({ environment, platform, journal, record: { candidate } }, statementLimit);
        const report = await mirror(colours, traffic.reads(options.share, end), end);
        signal.throwIfAborted();
        reporter.result(report, mirrorText);
        requireSame(report);
      }),
    );
}

function unseen(): VerdigrisError {
  return new VerdigrisError('mirror-unseen', {
    seen: 'What routes clients here does not see their statements.',
    required: 'platform local, whose router does.',
    next: 'declare the metric `latency` with statements of yours instead (docs/delivery.md): it runs them on both colours.',
  });
}

function noCandidate(state: string): VerdigrisError {
  return new VerdigrisError('no-candidate', {
    seen: `The environment is ${state}: it has no migrated candidate.`,
    required: 'a candidate with the migrations of its release.',
    next: 'run `verdigris seed` and `verdigris migrate` first.',
  });
}

function requireSame(report: MirrorReport): void {
  const differing = differingStatements(report);
  if (differing.length === 0) return;
  throw new VerdigrisError('mirror-differs', {
    seen: `${differing.length} statements return different rows on the candidate than on the live colour.`,
    required: 'the same rows, unless the release is meant to change them.',
    next: 'check the statements above: the usual cause is a migration that changes what they read. `verdigris verify` compares the data itself.',
    facts: { statements: differing.map(({ statement }) => statement) },
  });
}
