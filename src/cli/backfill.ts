import { Command, Option } from 'commander';
import prettyMs from 'pretty-ms';
import { harmlessData } from '../model/harmless.ts';
import { backfill } from '../operations/verbs/backfill.ts';
import { forgetBackfill } from '../operations/verbs/backfill-forget.ts';
import { backfillFindings, outlivedFindings } from '../operations/gates/backfill-gate.ts';
import { readBackfillStates, type BackfillState } from '../operations/gates/backfill-state.ts';
import { insideOf } from '../operations/engine/each.ts';
import { withObserver } from '../operations/observer.ts';
import { withOperator } from '../operations/operator.ts';
import { milliseconds } from './numbers.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

interface Flags extends CommonOptions {
  readonly name?: string[];
  readonly live?: boolean;
  readonly again?: boolean;
  readonly time?: number;
  readonly forget?: string;
  readonly database?: string;
  readonly dryRun?: boolean;
}

export function backfillCommand(): Command {
  return withCommonOptions(new Command('backfill'))
    .description(
      `Runs the NNNN_name.backfill.yaml files of the migrations folder that are not complete. \`migrate\` does so by itself for columns that only the
candidate has; this command goes on after a time limit, fixes rows that drifted (--again), and fills columns that clients use (--live).
Yields to replication and to clients; a kill at any point costs one batch. The switchover is refused until all are complete.`,
    )
    .option('--name <backfill...>', 'only these')
    .option('--live', 'consent to writes on the live colour, for backfills whose columns it has')
    .option('--again', 'look at every row again, also of those that are complete')
    .addOption(
      new Option('--time <duration>', 'stop after this long; the next run continues there').argParser(milliseconds),
    )
    .option('--forget <backfill>', 'give up one whose file is gone')
    .option('--database <name>', 'of a further database, where a release carries several')
    .option('--dry-run', 'show what would run, where, and how far each is; change nothing')
    .action((flags: Flags) =>
      withSession(flags, async ({ environment, platform, reporter, emit, signal }) => {
        const parts = {
          environment,
          platform,
          emit,
          signal,
        };
        if (flags.dryRun) {
          await withObserver(parts, async (whole) => {
            const c = insideOf(whole, flags.database);
            const { backfills, orphans } = await readBackfillStates(c);
            const findings = [...(await backfillFindings(c, 'refuse', true)), ...outlivedFindings(backfills)];
            for (const finding of findings) reporter.event({ type: 'finding', gate: 'backfill', finding });
            reporter.result(
              { dryRun: true, backfills: backfills.map(shown), orphans: orphans.map(({ name }) => name), findings },
              () => harmlessData(backfills).map(line).join('\n') || 'no backfill is declared',
            );
          });
          return;
        }
        const reports = await withOperator(parts, 'backfill', async (whole) => {
          const c = insideOf(whole, flags.database);
          if (flags.forget !== undefined) await forgetBackfill(c, flags.forget);
          else return backfill(c, { names: flags.name, live: flags.live, again: flags.again, time: flags.time });
          return [];
        });
        const text = harmlessData(reports).map(
          ({ name, table, seen, filled, seconds, yielded }) =>
            `${name}: ${filled} of ${seen} rows of ${table} filled in ${prettyMs(seconds * 1000)}` +
            (yielded > 0 ? `, ${prettyMs(yielded * 1000)} of it waiting for others` : ''),
        );
        reporter.result(
          { backfills: reports, ...(flags.forget === undefined ? {} : { forgotten: flags.forget }) },
          () =>
            flags.forget === undefined
              ? text.join('\n') || 'nothing was to be done'
              : `${flags.forget} is forgotten; what it filled stays`,
        );
      }),
    );
}

function shown({
  backfill: { name, table, assignments, path },
  place,
  progress,
  done,
  outlived,
}: BackfillState): Record<string, unknown> {
  return {
    name,
    table,
    columns: assignments.map(({ column }) => column),
    file: path,
    place,
    done,
    ...(outlived === undefined ? {} : { outlived }),
    rowsSeen: progress?.seen ?? 0,
    rowsFilled: progress?.filled ?? 0,
  };
}

function line({ backfill: { name, table, assignments }, place, progress, done, outlived }: BackfillState): string {
  if (outlived !== undefined) return `${name}: complete, and its file can go: ${outlived}`;
  const where = {
    candidate: 'on the candidate',
    live: 'on the live colour',
    mixed: 'nowhere: its columns are of both kinds',
    later: 'once a migration has added its columns',
  }[place];
  return (
    `${name}: ${table} (${assignments.map(({ column }) => column).join(', ')}), ${where}: ` +
    `${done ? 'complete' : progress ? `${progress.seen} rows so far` : 'not begun'}`
  );
}
