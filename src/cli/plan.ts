import { Command, Option } from 'commander';
import prettyMs from 'pretty-ms';
import colors from 'yoctocolors';
import { declaredOf, plan } from '../model/plan.ts';
import { other } from '../model/colours.ts';
import { declaredMigrations } from '../migrations/engines/declared.ts';
import type { Migration } from '../migrations/engine.ts';
import { states, type State } from '../model/transitions.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { operationOf } from '../operations/table.ts';
import { withCommonOptions, withSession, type CommonOptions, type CliSession } from './session.ts';

export interface PlannedOperation {
  readonly verb: string;
  readonly to: string;
  readonly because?: string;
  readonly reason?: string;
  readonly pauseMs: number;
  /** All that the folder holds: no database is asked what has run. */
  readonly migrations?: readonly Migration[];
  readonly steps: readonly {
    readonly id: string;
    readonly title: string;
    readonly why: string;
    readonly risk: string;
  }[];
}

export function planText(operations: readonly PlannedOperation[]): string {
  if (operations.length === 0) return 'Nothing to do: the environment is as declared.';
  const blocks = operations.map(({ verb, to, because, reason, pauseMs, migrations = [], steps }) =>
    [
      `${colors.bold(verb)} → ${to}${because ? colors.dim(`  because ${because}`) : ''}`,
      ...(reason ? [`  ${reason}`] : []),
      ...steps.map(
        (step) =>
          `  ${colors.cyan(step.id)}: ${step.title}\n      ${colors.dim(`why:  ${step.why}`)}\n      ${colors.dim(`risk: ${step.risk}`)}`,
      ),
      ...(migrations.length > 0 ? ['  files, but for those that the history has:'] : []),
      ...migrations.map(({ version, name }) => `    ${version} ${name}`),
      `  clients wait: ${waitText(pauseMs)}`,
    ].join('\n'),
  );
  const longest = Math.max(...operations.map(({ pauseMs }) => pauseMs));
  return `${blocks.join('\n\n')}\n\nThe longest that a client may wait in this plan: ${waitText(longest)}.`;
}

function waitText(ms: number): string {
  if (ms === 0) return 'never';
  return Number.isFinite(ms) ? `at most ${prettyMs(ms)}` : 'as long as the export of what is lost takes';
}

/** Prints what would be done to come to what is declared, or to `goal`. Reads the journal; opens no database. */
export async function showPlan(
  { environment, platform, reporter }: CliSession,
  goal: State | undefined,
): Promise<void> {
  const journal = await readJournal(platform.journal);
  const planned = plan(declaredOf(environment), journal, goal);
  const candidate = environment.colours[other(journal.live)];
  const migrations = planned.some(({ verb }) => verb === 'migrate') ? await declaredMigrations(candidate) : [];
  const operations = planned.map(({ verb, kind, to, because, reason }): PlannedOperation => {
    const operation = operationOf(verb, { lossy: kind === 'lossy' });
    return {
      verb,
      to,
      because,
      reason,
      pauseMs: operation.clientsWait(environment.limits),
      ...(verb === 'migrate' && migrations.length > 0 ? { migrations } : {}),
      steps: [...operation.start, ...operation.complete].map(({ id, title, why, risk }) => ({
        id,
        title,
        why,
        risk,
      })),
    };
  });
  const unfinished = journal.operation ? `${journal.operation.verb} was cut short and is settled first.\n\n` : '';
  reporter.result(
    { state: journal.state, unfinished: journal.operation?.verb ?? null, plan: operations },
    `${unfinished}${planText(operations)}`,
  );
}

export function planCommand(): Command {
  return withCommonOptions(new Command('plan'))
    .summary('say what would happen, why, what each step risks, and how long clients may wait')
    .description(
      'Computes the way from what is to what the declaration says, or to a state. Changes nothing, opens no database.',
    )
    .addOption(new Option('--to <state>', 'plan as far as this state').choices(states))
    .action((options: CommonOptions & { readonly to?: State }) =>
      withSession(options, (session) => showPlan(session, options.to)),
    );
}
