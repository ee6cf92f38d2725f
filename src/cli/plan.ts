import { Command, Option } from 'commander';
import prettyMs from 'pretty-ms';
import { colors } from './colors.ts';
import { plan } from '../model/plan.ts';
import { other } from '../model/colours.ts';
import { declaredMigrations } from '../migrations/engines/declared.ts';
import type { Migration } from '../migrations/engine.ts';
import type { Journal } from '../model/journal.ts';
import { count } from '../model/count.ts';
import { states, type State } from '../model/transitions.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { declaredNow } from '../operations/gates/folders.ts';
import type { PlannedShape } from '../migrations/shapes/in-files.ts';
import { plannedFiles } from '../operations/reads/planned-files.ts';
import { operationHere } from '../operations/table.ts';
import { withCommonOptions, withSession, type CommonOptions, type CliSession } from './session.ts';

export interface DataPlan {
  readonly source: string;
  readonly place: string;
  readonly why?: string;
  readonly rows?: number;
  readonly ms?: number | undefined;
}

export interface PlannedOperation {
  readonly verb: string;
  readonly to: string;
  readonly because?: string;
  readonly reason?: string;
  readonly pauseMs: number;
  /** All that the folder holds: no database is asked what has run. */
  readonly migrations?: readonly Migration[];
  /** What they do to the schema, but for what is harmless. */
  readonly shapes?: readonly PlannedShape[];
  /** Statements that write rows, and where each runs: of `migrate` as judged now, of `switch` as it was tried last. */
  readonly data?: readonly DataPlan[];
  /** Why the live colour could not be asked for that. */
  readonly dataUnknown?: string;
  readonly steps: readonly {
    readonly id: string;
    readonly title: string;
    readonly why: string;
    readonly risk: string;
  }[];
}

export function planText(operations: readonly PlannedOperation[]): string {
  if (operations.length === 0) return 'Nothing to do: the environment is as declared.';
  const blocks = operations.map(
    ({ verb, to, because, reason, pauseMs, migrations = [], shapes, data = [], dataUnknown, steps }) =>
      [
        `${colors.bold(verb)} → ${to}${because ? colors.dim(`  because ${because}`) : ''}`,
        ...(reason ? [`  ${reason}`] : []),
        ...steps.map(
          (step) =>
            `  ${colors.cyan(step.id)}: ${step.title}\n      ${colors.dim(`why:  ${step.why}`)}\n      ${colors.dim(`risk: ${step.risk}`)}`,
        ),
        ...(migrations.length > 0 ? ['  files, but for those that the history has:'] : []),
        ...migrations.flatMap((migration) => fileText(migration, shapes)),
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

function dataText({ source, place, why, rows, ms }: DataPlan): string {
  const facts = [
    ...(why === undefined ? [] : [why]),
    ...(rows === undefined ? [] : [count(rows, 'row')]),
    ...(ms === undefined ? [] : [`${ms} ms of what clients wait`]),
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

/** Prints what would be done to come to what is declared, or to `goal`. Reads the journal, and the live colour's catalogue where there are migrations. */
export async function showPlan(
  { environment, platform, reporter, signal }: CliSession,
  goal: State | undefined,
): Promise<void> {
  const journal = await readJournal(platform.journal);
  const planned = plan(await declaredNow(environment), journal, goal);
  const candidate = environment.colours[other(journal.live)];
  const migrations = planned.some(({ verb }) => verb === 'migrate') ? await declaredMigrations(candidate) : [];
  const data = migrations.length > 0 ? await plannedFiles({ environment, platform, signal }) : {};
  const operations = planned.map(({ verb, kind, to, because, reason }): PlannedOperation => {
    const operation = operationHere(platform.servers, journal.live, verb, { lossy: kind === 'lossy' });
    return {
      verb,
      to,
      because,
      reason,
      pauseMs: operation.clientsWait(environment.limits),
      ...(verb === 'migrate' && migrations.length > 0 ? { migrations, ...data } : {}),
      ...(verb === 'switch' ? heldData(journal) : {}),
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
    .summary('say what would happen, why, what each step risks, and how long clients may wait')
    .description(
      'Computes the way from what is to what the declaration says, or to a state. Changes nothing; asks the ' +
        'live colour which tables it has, where there are migrations.',
    )
    .addOption(new Option('--to <state>', 'plan as far as this state').choices(states))
    .action((options: CommonOptions & { readonly to?: State }) =>
      withSession(options, (session) => showPlan(session, options.to)),
    );
}
