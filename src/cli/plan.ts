import { Command, Option } from 'commander';
import prettyMs from 'pretty-ms';
import { findingLine } from '../model/finding.ts';
import { declaresLeft, observedOf, plan, type Planned } from '../model/plan.ts';
import { other } from '../model/colours.ts';
import type { Migration } from '../migrations/engine.ts';
import type { PlannedShape } from '../migrations/shapes/in-files.ts';
import type { Journal } from '../model/journal.ts';
import { count } from '../model/count.ts';
import { states, type State } from '../model/transitions.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { declaredNow } from '../operations/gates/folders.ts';
import { filesInEach } from '../operations/reads/files-in-each.ts';
import { estimate, type Estimates } from '../operations/reads/estimate.ts';
import { operationHere } from '../operations/table.ts';
import { colors } from './colors.ts';
import { planSummary, toolText } from './plan-summary.ts';
import { plannedSteps, type DataPlan, type PlannedOperation } from './planned-operation.ts';
import { withCommonOptions, withSession, type CommonOptions, type CliSession } from './session.ts';

export function planText(operations: readonly PlannedOperation[]): string {
  if (operations.length === 0) return 'Nothing to do: the environment is as declared.';
  const blocks = operations.map(
    ({
      verb,
      to,
      because,
      reason,
      pauseMs,
      migrations = [],
      tool,
      shapes,
      refused = [],
      data = [],
      dataUnknown,
      steps,
    }) =>
      [
        `${colors.bold(verb)} → ${to}${because ? colors.dim(`  because ${because}`) : ''}`,
        ...(reason ? [`  ${reason}`] : []),
        ...steps.map(
          (step) =>
            `  ${colors.cyan(step.id)}: ${step.title}\n      ${colors.dim(`why:   ${step.why}`)}\n      ${colors.dim(`risk:  ${step.risk}`)}`,
        ),
        ...(migrations.length > 0 ? ['  files, but for those that the history has:'] : []),
        ...migrations.flatMap((migration) => fileText(migration, shapes)),
        ...(tool === undefined ? [] : [`  files: ${toolText(tool)}`]),
        ...refused.map((each) => `  ${colors.red('refused before the seed')}: ${findingLine(each)}`),
        ...(data.length > 0 ? ['  statements that write rows:', ...data.map(dataText)] : []),
        ...(dataUnknown === undefined ? [] : [`  where statements that write rows run is not known: ${dataUnknown}`]),
        `  clients wait: ${waitText(pauseMs)}`,
      ].join('\n'),
  );
  const longest = Math.max(...operations.map(({ pauseMs }) => pauseMs));
  return `${blocks.join('\n\n')}\n\nThe longest that a client may wait in this plan: ${waitText(longest)}.`;
}

const placeText: Readonly<Record<string, string>> = {
  candidate: 'on the candidate',
  live: 'on the live colour',
  switch: 'at the switchover',
};

function dataText({ source, place, why, rows, ms, newValues = [] }: DataPlan): string {
  const facts = [
    ...(why === undefined ? [] : [why]),
    ...(rows === undefined ? [] : [count(rows, 'row')]),
    ...(ms === undefined ? [] : [`${ms} ms of what clients wait`]),
    ...newValues.map(({ value, type }) => `it writes '${value}', new in ${type}, which ends the lossless rollback`),
  ];
  return `    ${source}\n      ${placeText[place] ?? place}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

function fileText({ version, name }: Migration, shapes: readonly PlannedShape[] | undefined): string[] {
  const own = shapes?.filter((shape) => shape.version === version) ?? [];
  const head = `    ${version} ${name}${shapes && own.length === 0 ? ': breaks nothing that its text shows' : ''}`;
  return [head, ...own.map(({ source, verdict, says }) => `      ${verdict}: ${says} ${colors.dim(`(${source})`)}`)];
}

function waitText(ms: number): string {
  if (ms === 0) return 'never';
  return Number.isFinite(ms) ? `at most ${prettyMs(ms)}` : 'as long as the export of what is lost takes';
}

/**
 * Prints what would be done to come to what is declared, or to `goal`. Reads the journal, and the live colour's
 * catalogue where there are migrations.
 */
export async function showPlan(
  { environment, platform, reporter, signal }: CliSession,
  goal: State | undefined,
  verbose = false,
): Promise<void> {
  const journal = await readJournal(platform.journal);
  const planned = await readPlan({ environment, platform }, goal);
  const { migrations, ...data }: Awaited<ReturnType<typeof filesInEach>> = planned.some(
    ({ verb }) => verb === 'migrate',
  )
    ? await filesInEach({ environment, platform, signal }, other(journal.live))
    : { migrations: [] };
  const operations = planned.map(({ verb, kind, to, because, reason }): PlannedOperation => {
    const operation = operationHere(platform.servers, journal.live, verb, { lossy: kind === 'lossy' });
    return {
      verb,
      to,
      because,
      reason,
      pauseMs: operation.clientsWait(environment.limits),
      ...(verb === 'migrate' && (migrations.length > 0 || data.tool !== undefined) ? { migrations, ...data } : {}),
      ...(verb === 'switch' ? heldData(journal) : {}),
      steps: plannedSteps(operation),
    };
  });
  const unfinished = journal.operation ? `${journal.operation.verb} was interrupted and is settled first.\n\n` : '';
  const left = goal === undefined && planned.length === 0 ? await leftText({ environment, platform }) : '';
  const estimates = operations.length > 0 ? await estimate(platform) : nothingKnown;
  reporter.result(
    { state: journal.state, unfinished: journal.operation?.verb ?? null, plan: operations, estimates },
    (shown) =>
      `${unfinished}${verbose ? planText(shown.plan) : planSummary(shown.plan, environment, shown.estimates)}${left}`,
  );
}

const nothingKnown: Estimates = { bytes: undefined, verbs: {}, pauseMs: undefined };

/** What `release` would do now. */
export async function readPlan(
  { environment, platform }: Pick<CliSession, 'environment' | 'platform'>,
  goal: State | undefined,
): Promise<Planned[]> {
  const observed = observedOf(await readJournal(platform.journal), await platform.history.list());
  return plan(await declaredNow(environment), observed, goal);
}

/** A declaration that nobody changed since the last release is no wish for the one before it. */
async function leftText({ environment, platform }: Pick<CliSession, 'environment' | 'platform'>): Promise<string> {
  const observed = observedOf(await readJournal(platform.journal), await platform.history.list());
  if (!declaresLeft(await declaredNow(environment), observed)) return '';
  return ` ${other(observed.live)} is still declared with release ${observed.left}, which was left: declare the next release there.`;
}

/** Those that wait for the switchover, as they were tried last. */
function heldData({ release }: Journal): Pick<PlannedOperation, 'data'> {
  const held = (release?.data ?? []).filter(({ place }) => place === 'switch');
  if (held.length === 0) return {};
  return {
    data: held.map(({ source, place, writes, ms }) => ({
      source,
      place,
      rows: writes.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0),
      ms,
    })),
  };
}

export function planCommand(): Command {
  return withCommonOptions(new Command('plan'))
    .description(
      'Computes the way from what is to what the declaration says, or to a state. Changes nothing; asks the ' +
        'live colour which tables it has, where there are migrations.',
    )
    .addOption(new Option('--to <state>', 'plan as far as this state').choices(states))
    .option('--verbose', 'every step with its reason and its risk')
    .action((options: CommonOptions & { readonly to?: State; readonly verbose?: boolean }) =>
      withSession(options, (session) => showPlan(session, options.to, options.verbose)),
    );
}
