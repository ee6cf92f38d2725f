import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { colors } from './colors.ts';
import type { BackfillStatus } from '../operations/reads/backfill-status.ts';
import { count } from '../model/count.ts';
import { scarce } from '../operations/reads/troubles.ts';
import { findingLine } from '../model/finding.ts';
import type { GateNow } from '../operations/reads/gate.ts';
import { howToRun } from '../model/how-to-run.ts';
import type { ColourStatus, ReplicationStatus, Status } from '../operations/reads/status-types.ts';
import { deliveryLines } from './delivery-text.ts';
import { when } from '../model/when.ts';

function streamText({
  from,
  to,
  applying,
  slot,
  lagBytes,
  lagSeconds,
  retainedBytes,
  database,
}: ReplicationStatus): string {
  return (
    `replication  ${from} → ${to}${database === undefined ? '' : `, ${database}`}: ${applying ? 'applying' : colors.red('not applying')}, ` +
    `slot ${slot}, lag ${size(lagBytes)}${lagSeconds === undefined ? '' : `, ${lagSeconds.toFixed(1)} s`}, WAL retained ${size(retainedBytes)}`
  );
}

function releaseLine({ from, to, drill }: NonNullable<Status['release']>): string {
  return drill
    ? colors.yellow(`drill ${from} → ${to}; where none runs any more, \`verdigris abandon\` takes its candidate away`)
    : `release ${from} → ${to}`;
}

/** A screen: both colours, how they follow each other, what is possible next. */
export function statusText(status: Status): string {
  const { replication: stream, traffic, operation, operator } = status;
  const widest = Math.max(...status.next.map((each) => command(each).length));
  const lines = [
    `${colors.bold(status.environment)} is ${colors.bold(status.state)}${promiseText(status)}`,
    ...status.troubles.map(({ seen, repair }) => `  ${colors.red('✗')} ${seen}. Repair: ${repair}`),
    ...(status.release ? [releaseLine(status.release)] : []),
    ...(operation ? [colors.yellow(operationText(operation, operator?.holder))] : []),
    '',
    ...status.colours.map(colourText),
    '',
    ...(status.replications ?? (stream ? [stream] : [])).map(streamText),
    ...(status.retained ? [retainedText(status)] : []),
    ...(status.losslessRollback === undefined
      ? status.state === 'switched'
        ? ['rollback     unknown: its slot could not be asked for']
        : []
      : [`rollback     ${rollbackText(status)}`]),
    ...(status.endsRollback.length > 0 && status.losslessRollback !== false
      ? [`             until the first row that only the new schema takes: ${status.endsRollback.join('; ')}`]
      : []),
    ...backfillLines(status),
    ...(status.verification
      ? [
          `verified     ${when(status.verification.at)}, ${status.verification.mode}, ${count(status.verification.rows, 'row')}`,
        ]
      : []),
    ...passwordLines(status.credentials),
    ...deliveryLines(status.delivery),
    clientsText(traffic),
    ...diskLines(status.disks ?? []),
    ...(status.pauseMs === undefined ? [] : [`last pause   ${prettyMs(status.pauseMs)}`]),
    ...(status.declaredLive === status.live
      ? []
      : [
          colors.yellow(
            `the declaration says live: ${status.declaredLive}; \`verdigris release\` would move the writes there`,
          ),
        ]),
    '',
    'next',
    ...status.next.flatMap((each) => [
      `  ${command(each).padEnd(widest)}  → ${each.to}: ${colors.dim(each.reason)}`,
      ...(each.kind === 'lossy' || each.verb !== status.gate?.verb ? [] : gateLines(status.gate)),
    ]),
  ];
  return lines.join('\n');
}

function command({ verb, kind }: Pick<Status['next'][number], 'verb' | 'kind'>): string {
  return ['verdigris', verb, ...(kind === 'lossy' ? ['--lossy'] : [])].join(' ');
}

/** Between releases nothing else is under way: that is when the oldest is offered. */
function passwordLines(credentials: Status['credentials']): string[] {
  const [oldest] = credentials.filter(({ since }) => since !== undefined);
  if (oldest?.since === undefined) return [];
  const others = credentials.length > 1 ? `, the oldest of ${credentials.length}` : '';
  return [`passwords    ${oldest.role}: since ${when(oldest.since)}${others}; \`verdigris rotate\` changes them`];
}

function operationText(
  { verb, step, phase, since }: NonNullable<Status['operation']>,
  holder: string | undefined,
): string {
  const at = `at step ${step ?? 'none yet'}, since ${when(since)}`;
  if (holder !== undefined) return `${verb} is under way ${at}, by ${holder}`;
  const { side, next } = {
    start: { side: 'before its commit point', next: 'undo or continue' },
    complete: { side: 'after its commit point', next: 'finish' },
    revert: { side: 'while it was undone', next: 'undo' },
  }[phase];
  return `${verb} was interrupted ${at}, ${side}. Run \`verdigris recover\`, or ${verb} again, to ${next} it.`;
}

function clientsText({ address, running, trouble, live, canary, held }: Status['traffic']): string {
  const state = running ? (trouble ? ' (no answer)' : '') : ' (down)';
  return [
    `clients      ${address}${colors.red(state)}`,
    `writes to ${live ?? '?'}`,
    ...(canary ? [`${canary} % of the reads to the candidate`] : []),
    ...(held ? [colors.yellow(held.since === undefined ? 'held' : `held since ${when(held.since)}`)] : []),
  ].join(', ');
}

function rollbackText({ losslessRollback, refusals }: Status): string {
  if (losslessRollback !== true) return colors.red('only lossy: `verdigris rollback --lossy` counts the loss first');
  return refusals.length > 0 ? colors.red('refused as things are, see above') : 'lossless';
}

/** What refuses it now, as its gate would say it. */
function gateLines({ findings, unknown }: GateNow): string[] {
  if (unknown !== undefined) return [colors.yellow(`    whether it would be refused is not known: ${unknown}`)];
  return findings.flatMap((each) => [
    `    ${colors.red('✗ refused now')} ${colors.dim(each.id)} ${findingLine(each)}`,
    ...each.fix.split('\n').map((line, at) => `      ${at === 0 ? `${colors.dim('fix:')} ` : '     '}${line}`),
    ...howToRun([each]).map((how) => `           ${colors.dim(how)}`),
  ]);
}

function promiseText({ troubles, guarantee, gate }: Status): string {
  if (troubles.length === 0) return `: ${guarantee}${refusedText(gate)}`;
  return colors.red(`, but what it promises does not hold in ${count(troubles.length, 'point')}:`);
}

function refusedText(gate: GateNow | undefined): string {
  if (!gate || gate.findings.length === 0) return '';
  return colors.red(`; as things are \`${gate.verb}\` would be refused, see next`);
}

function diskLines(disks: NonNullable<Status['disks']>): string[] {
  if (disks.length === 0) return [];
  const each = disks.map(({ place, free, total }) => {
    const text = `${place} ${prettyBytes(free)} of ${prettyBytes(total)}`;
    return free < scarce * total ? colors.red(text) : text;
  });
  return [`disk free    ${each.join(', ')}`];
}

function backfillLines({ backfills, colours, live }: Status): string[] {
  // That the live colour is down was said above, with what repairs it.
  const down = colours.some(({ colour, running }) => colour === live && !running);
  if ('error' in backfills) return down ? [] : [`backfills    ${colors.red(backfills.error)}`];
  const complete = backfills.filter(({ state }) => state === 'complete').length;
  return [
    ...backfills.filter(({ state }) => state !== 'complete').map(backfillText),
    ...(complete === 0 ? [] : [`backfills    ${complete} complete`]),
  ];
}

function backfillText({
  name,
  colour,
  state,
  seen,
  total,
  rowsPerSecond,
  secondsLeft,
  waiting,
}: BackfillStatus): string {
  const of = total === undefined ? '' : ` of about ${total} (${Math.floor((100 * seen) / total)} %)`;
  const parts = [
    `${name}${colour === undefined ? '' : ` on ${colour}`}: ${state === 'running' ? state : colors.yellow(state)}`,
    ...(seen > 0 || state === 'running' ? [`${seen}${of} rows`] : []),
    ...(rowsPerSecond === undefined ? [] : [`${Math.round(rowsPerSecond)} rows/s`]),
    ...(secondsLeft === undefined ? [] : [`about ${prettyMs(Math.ceil(secondsLeft) * 1000)} left`]),
    ...(waiting === undefined ? [] : [colors.yellow(`waiting: ${waiting}`)]),
  ];
  return `backfill     ${parts.join(', ')}`;
}

function retainedText({ retained, replication, colours }: Status): string {
  const down = retained?.mode === 'scaled-down' && colours.some(({ role, running }) => role === 'retained' && !running);
  const until = retained?.over
    ? 'retention has passed: `verdigris retire` makes the release final'
    : `until ${retained ? when(retained.until) : '?'}`;
  const log = size(replication?.retainedBytes);
  const rests = `; scaled down: the live colour keeps ${log} of log for it, and a rollback starts it first`;
  return `retained     ${until}${down ? rests : ''}`;
}

function colourText({ colour, role, running, version, release, bytes, connections, error }: ColourStatus): string {
  const paint = colour === 'blue' ? colors.blueBright : colors.green;
  const name = paint(colour.padEnd(6));
  if (role === 'absent') return `${name} –`;
  const state = error ? colors.red(error) : running ? 'up' : colors.red('down');
  return [
    `${name} ${role.padEnd(10)} ${state}`,
    `PostgreSQL ${version ?? '?'}`,
    `release ${release ?? '?'}`,
    ...(bytes === undefined ? [] : [prettyBytes(bytes)]),
    ...(connections === undefined ? [] : [count(connections, 'session')]),
  ].join('  ');
}

function size(bytes: number | undefined): string {
  return bytes === undefined ? '?' : prettyBytes(bytes);
}
