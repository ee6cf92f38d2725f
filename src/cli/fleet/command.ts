import path from 'node:path';
import { Command } from 'commander';
import { count } from '../../model/count.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';
import { withReporter } from '../session.ts';
import { table } from '../table.ts';
import { readFleet } from './file.ts';
import { releaseOne } from './release-one.ts';
import { viewFleet, type FleetLine } from './view.ts';
import { walkWaves, type Walked } from './walk.ts';

interface FleetOptions {
  readonly json?: boolean;
  readonly reason?: string;
}

export function fleetCommand(): Command {
  return new Command('fleet')
    .description('Tenants, shards or regions: each with a declaration of its own, in the waves that a file names.')
    .addCommand(releaseCommand())
    .addCommand(statusCommand());
}

function releaseCommand(): Command {
  return new Command('release')
    .summary('run `verdigris release` in each environment, wave by wave')
    .description(
      'Begins nothing more once as many have failed as `stopAt` says; what is under way runs to its end. ' +
        'Run again, it continues where it stopped: an environment that is as declared has nothing to do.',
    )
    .argument('<fleet>', 'the file that names the waves')
    .option('--reason <text>', 'why, for each history')
    .option('--json', 'events and result as JSON lines')
    .action((file: string, options: FleetOptions) =>
      withReporter(options, async (reporter, signal) => {
        const fleet = await readFleet(file);
        const note = (text: string): void => reporter.event({ type: 'note', text });
        const outcomes = await walkWaves(fleet, {
          signal,
          release: (each) => releaseOne(each, options.reason, signal),
          begun: (each, wave) => note(`${wave}: ${shown(each)} begins`),
          ended: (outcome) => note(`${outcome.wave}: ${outcomeText(outcome)}`),
        });
        const done = outcomes.filter(({ outcome }) => outcome === 'released').length;
        if (done < outcomes.length) throw unfinished(file, outcomes);
        reporter.result({ environments: outcomes }, () => `${count(done, 'environment')} released.`);
      }),
    );
}

function statusCommand(): Command {
  return new Command('status')
    .summary('all environments of a fleet in one view')
    .description('Read from the journals, as they are now; no database is asked.')
    .argument('<fleet>', 'the file that names the waves')
    .option('--json', 'the result as a JSON line')
    .action((file: string, options: FleetOptions) =>
      withReporter(options, async (reporter) => {
        const lines = await viewFleet(await readFleet(file));
        reporter.result({ environments: lines }, (shown) => viewText(shown.environments));
      }),
    );
}

function shown(file: string): string {
  return path.relative(process.cwd(), file) || file;
}

function outcomeText({ file, outcome, error, seconds }: Walked): string {
  const time = seconds === undefined ? '' : ` after ${seconds} s`;
  return `${shown(file)} ${outcome}${time}${error ? `: ${error.id}: ${error.seen}` : ''}`;
}

function viewText(lines: readonly FleetLine[]): string {
  return table(
    ['wave', 'environment', 'state', 'live', 'release', 'declared live', 'under way'],
    lines.map(({ wave, file, name, state, live, release, declared, doing, error }) => [
      wave,
      name ?? shown(file),
      state ?? error ?? '?',
      live ?? '–',
      release ?? '–',
      declared ?? '–',
      doing ?? '–',
    ]),
  );
}

function unfinished(file: string, outcomes: readonly Walked[]): VerdigrisError {
  const of = (wanted: Walked['outcome']): Walked[] => outcomes.filter(({ outcome }) => outcome === wanted);
  return new VerdigrisError('fleet-unfinished', {
    seen:
      `${count(of('failed').length, 'environment')} of ${outcomes.length} failed, ${of('not begun').length} not begun:\n` +
      indented(of('failed').map(outcomeText)),
    required: 'every environment released.',
    next: `see each with \`verdigris status --file …\`; fix it, then run \`verdigris fleet release ${file}\` again: it continues where it stopped.`,
    facts: { environments: outcomes },
  });
}
