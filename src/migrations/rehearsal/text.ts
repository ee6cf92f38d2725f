import { count } from '../../model/count.ts';
import prettyBytes from 'pretty-bytes';
import { oneShortLine, place, timeText } from './findings.ts';
import type { RehearsalReport, StatementReport } from './report.ts';

/** For people, plain: what matters first, then each statement. */
export function rehearsalText(report: RehearsalReport): string {
  const { totals, load, replication, smoke, plans } = report;
  const { mode, table, applyStandsMs } = replication;
  const behind = table === undefined ? '' : ` behind ${mode} on ${table}`;
  return [
    '',
    headline(report),
    '',
    ...report.findings.flatMap(({ grade, id, title, objects, where, fix }) => [
      `  ${grade.padEnd(6)} ${title}${where === 'live' ? ' [matters on a live database]' : ''} (${id})`,
      ...objects.slice(0, 6).map((object) => `           ${object}`),
      ...(grade === 'info' ? [] : [`         fix: ${fix}`]),
    ]),
    '',
    `statements (measured ${{ statements: 'in the session that ran them', log: "by the clone's server log", whole: 'as a whole' }[report.measured]})`,
    ...report.statements.flatMap(statement),
    '',
    `in all   ${timeText(totals.ms)}; WAL ${prettyBytes(totals.walBytes)}, disk ${signed(totals.diskBytes)}, rewritten ${prettyBytes(totals.rewrittenBytes)}`,
    `blocked  ${totals.blockedQueries} queries, the longest ${timeText(totals.longestBlockedMs)}`,
    `apply    would wait for up to ${timeText(applyStandsMs)}${behind}; ${prettyBytes(replication.walBytes)} to send`,
    `load     ${loadText(load)}`,
    `plans    ${plans.compared} compared, ${plans.worse.length} worse, ${plans.broken.length} refused`,
    ...(smoke
      ? [
          `smoke    exit code ${smoke.exitCode ?? 'none'} after ${timeText(smoke.ms)}: ${smoke.command}`,
          ...(smoke.exitCode === 0 ? [] : smoke.tail.split('\n').map((line) => `           ${line}`)),
        ]
      : []),
  ].join('\n');
}

export function headline({ verdict, release, migrations, failure, server }: RehearsalReport): string {
  const what =
    `release ${release.to} on a clone of release ${release.from} (${prettyBytes(server.databaseBytes)}, ` +
    `PostgreSQL ${server.version}), ${count(migrations.length, 'migration')}`;
  if (verdict === 'failed') return `The migration failed: ${what}. ${failure?.seen.trim() ?? ''}`;
  return verdict === 'refused' ? `Refused: ${what}.` : `It fits: ${what}.`;
}

function statement({
  file,
  line,
  text,
  ms: took,
  error,
  locks,
  rewrites,
  walBytes,
  diskBytes,
  waitedMs,
  blocked,
  latencyMs,
}: StatementReport): string[] {
  const facts = [
    ...locks.map(({ table, mode, heldMs }) => `${mode} on ${table} for ${timeText(heldMs)}`),
    ...rewrites.map(({ relation, bytes }) => `rewrites ${relation} (${prettyBytes(bytes)})`),
    ...(waitedMs > 0 ? [`waited ${timeText(waitedMs)} for locks`] : []),
    ...(blocked.count > 0 ? [`blocked ${blocked.count} queries, the longest ${timeText(blocked.longestMs)}`] : []),
    ...(walBytes === undefined ? [] : [`WAL ${prettyBytes(walBytes)}`]),
    ...(diskBytes ? [`disk ${signed(diskBytes)}`] : []),
    ...(latencyMs > 0 ? [`worst latency ${timeText(latencyMs)}`] : []),
  ];
  return [
    `  ${timeText(took).padStart(8)}  ${place({ file, line })} ${oneShortLine(text, 100)}`,
    ...(error === undefined ? [] : [`            FAILED: ${error}`]),
    `            ${facts.join('; ')}`,
  ];
}

/** Latencies below a millisecond still differ from none. */
function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : timeText(value);
}

export function signed(bytes: number): string {
  return prettyBytes(bytes, { signed: true });
}

function loadText({ kind, detail, operations, before, during }: RehearsalReport['load']): string {
  if (kind === 'none') return 'none';
  if (kind === 'command') return detail;
  const latency = `p95 ${ms(before.p95)} before, ${ms(during.p95)} during, worst ${timeText(during.max)}`;
  return `${operations} statements; ${latency}`;
}
