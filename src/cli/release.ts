import { Command, Option } from 'commander';
import { states, type State } from '../model/transitions.ts';
import { withOperator } from '../operations/operator.ts';
import { performRelease } from '../operations/perform.ts';
import { requireConsent } from './consent.ts';
import { followRelease } from './delivery.ts';
import { readPlan, showPlan } from './plan.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';
import { asks, showStatus } from './verbs.ts';

interface ReleaseOptions extends CommonOptions {
  readonly to?: State;
  readonly early?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
  readonly follow?: boolean;
  readonly once?: boolean;
  readonly forever?: boolean;
}

/** `release`: as far as declared, or as far as asked. */
export function releaseCommand(): Command {
  return withCommonOptions(new Command('release'))
    .description(
      'Brings the environment from what is to what the declaration says, verb by verb; every gate on the way ' +
        'may stop it.\nWhat an earlier run left unfinished is continued first.',
    )
    .addOption(new Option('--to <state>', 'stop at this state').choices(states))
    .option('--early', 'retire even though retention has not passed')
    .option('--dry-run', 'show what would be done, change nothing')
    .addOption(
      new Option('--follow', 'walk the declared delivery.steps: pauses, analyses, approvals, windows').conflicts([
        'to',
        'dryRun',
      ]),
    )
    .option('--once', 'with --follow: end where the release has to wait for anything')
    .option('--forever', 'with --follow: keep running where only a person can continue, and with the next release')
    .option('--reason <text>', 'why, for the history')
    .option('-y, --yes', 'do not ask at a terminal')
    .action(async (options: ReleaseOptions) => {
      if (options.follow) return followRelease(options);
      await withSession(options, async (session) => {
        const { environment, platform, emit, signal } = session;
        if (options.dryRun) {
          return showPlan(session, options.to);
        }
        const planned = await readPlan(session, options.to);
        const asked = planned.map(({ verb, kind }) => ({ verb, lossy: kind === 'lossy' }));
        await requireConsent(
          session,
          asked.filter(({ verb }) => asks.includes(verb)),
          options,
        );
        const { reason, early } = options;
        await withOperator({ environment, platform, emit, signal, reason }, 'release', (c) =>
          performRelease(c, options.to, { early }),
        );
        await showStatus(session);
      });
    });
}
