import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { count } from '../model/count.ts';
import type { Environment } from '../model/environment.ts';
import { findingLine } from '../model/finding.ts';
import type { Verb } from '../model/transitions.ts';
import type { Estimate, Estimates } from '../operations/reads/estimate.ts';
import { colors } from './colors.ts';
import type { PlannedOperation } from './planned-operation.ts';

/** Names of migrations, and of what they change, that fit beside their number. */
const named = 3;

/**
 * A plan in some ten lines: what happens, how long it may take, for how long clients wait and why, and what can stop
 * it.
 */
export function planSummary(
  operations: readonly PlannedOperation[],
  { limits }: Environment,
  { bytes, verbs, pauseMs }: Estimates,
): string {
  const [first] = operations;
  const last = operations.at(-1);
  if (!first || !last) return 'Nothing to do: the environment is as declared.';
  const line = (verb: string, text: string): string => `  ${colors.bold(verb.padEnd(9))} ${text}`;
  const does: Readonly<Record<Verb, (operation: PlannedOperation) => string>> = {
    seed: () =>
      `copies the live colour${bytes === undefined ? '' : `, ${prettyBytes(bytes)}`}${about(verbs.seed)}; it serves on`,
    migrate: ({ migrations = [], tool, data = [] }) => {
      const writes =
        data.length > 0 ? `; of their statements ${data.length} ${data.length === 1 ? 'writes' : 'write'} rows` : '';
      return `${tool === undefined || migrations.length > 0 ? migrationsText(migrations) : toolText(tool)}${writes}${about(verbs.migrate)}`;
    },
    verify: () => `compares every row${about(verbs.verify)}`,
    canary: () => 'sends a share of the readers to the candidate',
    switch: ({ pauseMs: longest }) => `writes move; ${waitText(longest, pauseMs)}`,
    rollback: ({ pauseMs: longest }) => `writes move back; ${waitText(longest, pauseMs)}`,
    retire: () => 'the retained colour is removed, and every way back with it',
    abandon: () => 'the candidate is removed; the live colour is not touched',
  };
  const stops: Readonly<Record<Verb, readonly string[]>> = {
    seed: ['what preflight refuses', `a transaction older than ${prettyMs(limits.longTransaction)}`],
    migrate: [
      `a lock that is not had within ${prettyMs(limits.migrationLock)}`,
      'a change that replication cannot follow',
    ],
    verify: ['a row that differs'],
    canary: [],
    switch: [
      `a client busy for more than ${prettyMs(limits.pause)}`,
      `a candidate ${prettyBytes(limits.lag)} of WAL behind`,
    ],
    rollback: [`a client busy for more than ${prettyMs(limits.pause)}`],
    retire: ['retention that has not passed', 'somebody connected to the retained colour'],
    abandon: [],
  };
  const stopping = operations.flatMap(({ verb }) => stops[verb]);
  return [
    `To ${colors.bold(last.to)}${first.because ? `, because ${first.because}` : ''}:`,
    ...operations.map((operation) => line(operation.verb, does[operation.verb](operation))),
    ...(stopping.length > 0 ? [line('stopped', `by ${[...new Set(stopping)].join(', ')}; nothing is lost then`)] : []),
    ...operations
      .flatMap(({ refused = [] }) => refused)
      .map((each) => line('refused', `before the seed: ${findingLine(each, named)}`)),
    ...operations
      .flatMap(({ shapes = [] }) => shapes)
      .slice(0, named)
      .map(({ source, verdict, says }) => line('changes', `${verdict}: ${says} (${source})`)),
    ...operations
      .flatMap(({ data = [] }) => data)
      .filter(({ newValues = [] }) => newValues.length > 0)
      .map(({ source, newValues = [] }) =>
        line(
          'way back',
          `ends where the release itself writes ${newValues.map(({ value }) => value).join(', ')}: ${source}`,
        ),
      ),
    ...operations.flatMap(({ dataUnknown }) =>
      dataUnknown === undefined ? [] : [line('unknown', `where statements that write rows run: ${dataUnknown}`)],
    ),
    colors.dim('Each step with its reason and its risk: --verbose.'),
  ].join('\n');
}

function about(estimate: Estimate | undefined): string {
  if (estimate === undefined) return '';
  const time = estimate.ms < 1_000 ? 'a second or less' : `about ${prettyMs(estimate.ms, { compact: true })}`;
  return `, ${time} ${estimate.by === 'history' ? 'by the last release' : 'as a guess from the size'}`;
}

/** What is pending, and what it does, it alone knows. */
export function toolText(tool: string): string {
  return tool === 'command' ? 'what the command finds pending' : `what ${tool} finds pending`;
}

function migrationsText(migrations: NonNullable<PlannedOperation['migrations']>): string {
  if (migrations.length === 0) return 'no migrations';
  const names = migrations.slice(-named).map(({ version, name }) => `${version} ${name}`);
  const more = migrations.length > named ? '… ' : '';
  return `${count(migrations.length, 'file')} (${more}${names.join(', ')}), passing over what the history has`;
}

/** Why they wait is always the same: the last write has to arrive on the other side before the first one there. */
function waitText(longest: number, last: number | undefined): string {
  if (!Number.isFinite(longest)) return 'clients wait as long as the export of what is lost takes';
  const before = last === undefined ? '' : `, ${prettyMs(last)} the last time`;
  return `clients wait at most ${prettyMs(longest)}${before}, until their last write is on the other colour`;
}
