import { Command, Option } from 'commander';
import { colours, type Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import type { Environment } from '../model/environment.ts';
import { pathOf, transitions, type Verb } from '../model/transitions.ts';
import { passGates, requireState } from '../operations/engine/gates.ts';
import { withObserver } from '../operations/observer.ts';
import { withOperator } from '../operations/operator.ts';
import { perform } from '../operations/perform.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { operationHere, type PerformOptions } from '../operations/table.ts';
import { readStatus } from '../operations/reads/status.ts';
import { milliseconds, percent, share } from './numbers.ts';
import { requireConsent } from './consent.ts';
import { planText } from './plan.ts';
import { plannedSteps } from './planned-operation.ts';
import { summaries } from './summaries.ts';
import { withCommonOptions, withSession, type CommonOptions, type CliSession } from './session.ts';
import { statusText } from './status-text.ts';

interface VerbOptions extends CommonOptions, PerformOptions {
  readonly dryRun?: boolean;
  readonly weight?: number;
  readonly yes?: boolean;
  readonly reason?: string;
}

/** Verbs that clients feel, or that take something away for good. */
export const asks: readonly Verb[] = ['switch', 'rollback', 'retire', 'abandon'];

const help: Readonly<Record<Verb, string>> = {
  seed:
    'The live colour keeps serving: it only provides a replication slot, a publication and a copy of its files.\n' +
    'The candidate starts exactly where the copy ends (X), so nothing is lost or applied twice.',
  migrate:
    'Replication continues meanwhile. What it could not follow (renames, type changes without a cast) is ' +
    'refused before anything is changed.\n' +
    'A failure leaves the live colour untouched, and the candidate can be continued: fix the file and run it again.',
  verify:
    'Every row of every table, in key order by digests, while writes go on. A difference is checked again once replication has passed it.',
  canary: 'Only roles declared as readers, which cannot write by privilege. Writes are never split.',
  switch:
    'Holds the clients, fences the live colour, waits for its last write to arrive, moves the route, lets ' +
    'the clients continue.\nBefore the commit point everything is undone on failure; the other colour is ' +
    'retained and follows the new one.',
  rollback:
    'Lossless over reverse replication. If that is gone, --lossy counts what would be lost; with ' +
    '--accept-loss it exports that to a file and goes back.',
  retire:
    'There is no rollback afterwards. Refused before the declared retention has passed (--early), and while the retained colour still has sessions.',
  abandon: 'Removes the candidate and everything that served it. The live colour does not notice.',
};

/** One command for each verb of the state machine. */
export function verbCommands(): Command[] {
  return (Object.keys(help) as Verb[]).map((verb) => {
    const edges = transitions.filter((edge) => edge.verb === verb);
    const command = withCommonOptions(new Command(verb))
      .description(
        [
          `${summaries[verb][0]?.toUpperCase()}${summaries[verb].slice(1)}.\n`,
          `${help[verb]}\n`,
          ...edges.map(({ from, kind, to, reason }) => `  ${from} → ${to}${kind ? ` (${kind})` : ''}: ${reason}`),
        ].join('\n'),
      )
      .option('--dry-run', 'run the gates, show the steps, change nothing')
      .option('--reason <text>', 'why, for the history');
    if (asks.includes(verb)) command.option('-y, --yes', 'do not ask at a terminal');
    if (verb === 'seed')
      command.argument('[colour]', 'which colour to make the candidate (default: the one that is not live)');
    if (verb === 'verify')
      command
        .addOption(
          new Option('--budget <duration>', 'stop comparing after this long, and say what was left').argParser(
            milliseconds,
          ),
        )
        .addOption(new Option('--sample <share>', 'compare this share of every table').argParser(share))
        .option(
          '--apply-globals',
          'first bring roles, passwords and settings on the candidate in line with the live colour',
        );
    if (verb === 'canary')
      command.addOption(
        new Option('--weight <percent>', 'share of the readers, in place of the declared one').argParser(percent),
      );
    if (verb === 'rollback')
      command
        .option('--lossy', 'go back without reverse replication, losing writes')
        .option('--accept-loss', 'consent to losing what is counted; it is exported first');
    if (verb === 'retire') command.option('--early', 'retire even though retention has not passed');
    command.action(async (...args: unknown[]) => {
      const options = args.at(-2) as VerbOptions;
      await withSession(options, (session) =>
        runVerb(verb, options, session, verb === 'seed' ? (args[0] as string | undefined) : undefined),
      );
    });
    return command;
  });
}

async function runVerb(
  verb: Verb,
  options: VerbOptions,
  session: CliSession,
  colour: string | undefined,
): Promise<void> {
  const environment = withWeight(session.environment, options.weight);
  if (options.dryRun) {
    await dryRun(verb, options, { ...session, environment });
    return;
  }
  await requireConsent(session, [{ verb, lossy: options.lossy }], options);
  await withOperator(
    {
      environment,
      platform: session.platform,
      emit: session.emit,
      signal: session.signal,
      reason: options.reason,
    },
    verb,
    async (c) => {
      if (colour !== undefined) requireCandidate(colour, c.live);
      await perform(c, verb, options);
    },
  );
  await showStatus({ ...session, environment });
}

export async function showStatus({ environment, platform, reporter }: CliSession): Promise<void> {
  const status = await readStatus(environment, platform);
  reporter.result(status, (shown) => `\n${statusText(shown)}`);
}

/**
 * The gates, which look and change nothing, and the steps that would follow. Exits as the verb would where a gate
 * refuses.
 */
async function dryRun(
  verb: Verb,
  options: PerformOptions,
  { environment, platform, reporter, emit, signal }: CliSession,
): Promise<void> {
  const { live } = await readJournal(platform.journal);
  const operation = operationHere(platform.servers, live, verb, options);
  const pauseMs = operation.clientsWait(environment.limits);
  const planned = { verb, to: pathOf(operation).to, pauseMs, steps: plannedSteps(operation) };
  await withObserver({ environment, platform, emit, signal }, async (c) => {
    requireState(c, operation);
    await passGates(c, operation);
  });
  reporter.result({ dryRun: true, ...planned }, (shown) => planText([shown]));
}

function requireCandidate(colour: string, live: Colour): void {
  if (!colours.includes(colour as Colour))
    throw new VerdigrisError('no-such-colour', {
      seen: `unknown colour: ${colour}.`,
      required: colours.join(' or '),
      next: 'name the colour that is not live, or none.',
    });
  if (colour === live)
    throw new VerdigrisError('candidate-is-live', {
      seen: `${colour} is live.`,
      required: 'a candidate that is not the live colour.',
      next: 'name the other colour, or none.',
    });
}

function withWeight(environment: Environment, weight: number | undefined): Environment {
  return weight === undefined ? environment : { ...environment, canary: weight };
}
