import { setTimeout as delay } from 'node:timers/promises';
import prettyBytes from 'pretty-bytes';
import { colors } from './colors.ts';
import type { Status } from '../operations/reads/status-types.ts';
import type { Reporter } from './reporter.ts';
import { sparkline } from './sparkline.ts';

/** Milliseconds between two looks. */
const every = 1_000;
/** Looks that fit beside their names on a screen of 80 columns. */
const width = 44;

/** How far replication is behind, what log it retains, and whom each colour serves, over the time that was watched. */
export function watchText(looks: readonly Status[]): string {
  const row = (
    label: string,
    paint: (text: string) => string,
    value: (status: Status) => number | undefined,
    text: (value: number) => string,
  ): string[] => {
    const values = looks.map(value);
    if (values.every((each) => each === undefined)) return [];
    const known = values.map((each) => each ?? 0);
    const most = colors.dim(`max ${text(Math.max(...known))}`);
    return [`${label.padEnd(13)}${paint(sparkline(known).padStart(width))} ${text(known.at(-1) ?? 0)} ${most}`];
  };
  return [
    ...row('lag', colors.yellow, ({ replication }) => replication?.lagBytes, prettyBytes),
    ...row('WAL retained', colors.yellow, ({ replication }) => replication?.retainedBytes, prettyBytes),
    ...row('on blue', colors.blueBright, ({ traffic }) => traffic.clients?.blue, String),
    ...row('on green', colors.green, ({ traffic }) => traffic.clients?.green, String),
  ].join('\n');
}

/** Looks each second until it is stopped; a screen that changes on a terminal, else a line or an object a look. */
export async function watch(
  look: () => Promise<Status>,
  draw: (status: Status) => string,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const looks: Status[] = [];
  while (!signal.aborted) {
    const status = await look();
    looks.push(status);
    if (looks.length > width) looks.shift();
    reporter.screen(status, (shown) => `${draw(shown)}\n\n${watchText(looks)}`, lineText);
    await delay(every, undefined, { signal }).catch(() => undefined);
  }
}

function lineText({ state, replication, traffic, operation }: Status): string {
  return [
    new Date().toISOString(),
    state,
    ...(operation ? [`${operation.verb} ${operation.step ?? ''}`.trim()] : []),
    ...(replication
      ? [`lag ${prettyBytes(replication.lagBytes ?? 0)}`, `retained ${prettyBytes(replication.retainedBytes ?? 0)}`]
      : []),
    `blue ${traffic.clients?.blue ?? '?'}`,
    `green ${traffic.clients?.green ?? '?'}`,
    ...(traffic.held ? ['held'] : []),
  ].join('  ');
}
