import { lockModes } from '../lint/locks.ts';
import { escape } from './escape.ts';
import { oneShortLine, place, timeText } from './findings.ts';
import { modeColours } from './html-style.ts';
import type { RehearsalReport, StatementReport } from './report.ts';

const width = 1190;
const left = 190;
const right = 20;
const row = 24;
/** Lanes of tables drawn, those locked longest. */
const tablesDrawn = 12;

/** Statements, locks by table, blocked queries and the workload's latency, one below the other on one time axis. */
export function lockTimeline(report: RehearsalReport): string {
  const { load, statements, locks } = report;
  const end = Math.max(1, load.buckets.length * load.bucketMs, ...statements.map(({ at, ms }) => at + ms));
  const x = (ms: number): number => left + (Math.max(0, Math.min(ms, end)) / end) * (width - left - right);
  const parts: string[] = [];
  let y = 26;
  const lane = (title: string, note = ''): void =>
    void parts.push(
      `<text class="lane" x="0" y="${y}">${escape(title)}</text>${note === '' ? '' : `<text class="soft" x="${left}" y="${y}">${escape(note)}</text>`}`,
    );
  const bar = (at: number, ms: number, colour: string, title: string): string =>
    `<rect x="${x(at).toFixed(1)}" y="${y - 13}" width="${Math.max(2, x(at + ms) - x(at)).toFixed(1)}" ` +
    `height="17" rx="3" fill="${colour}"><title>${escape(title)}</title></rect>`;
  const label = (text: string): string =>
    `<text x="${left - 10}" y="${y}" text-anchor="end">${escape(oneShortLine(text, 27))}</text>`;

  lane('Statements', 'coloured by their strongest lock');
  for (const statement of statements) {
    y += row;
    const after = x(statement.at + statement.ms) + 6;
    const text = `${timeText(statement.ms)} ${statement.error === undefined ? '' : '✗ '}${oneShortLine(statement.text, 70)}`;
    const wide = text.length * 6.2;
    // Where the text has no room behind the bar it is put before it.
    const at =
      after + wide < width ? `x="${after.toFixed(1)}"` : `x="${(x(statement.at) - 6).toFixed(1)}" text-anchor="end"`;
    const fits = after + wide < width || x(statement.at) - wide > left - 100;
    parts.push(
      label(place(statement) || `#${statements.indexOf(statement) + 1}`),
      bar(statement.at, statement.ms, colourOf(statement), `${timeText(statement.ms)}: ${statement.text}`),
      fits ? `<text class="soft" ${at} y="${y}">${escape(text)}</text>` : '',
    );
  }

  y += row + 14;
  const tables = [...Map.groupBy(locks, ({ table }) => table)]
    .toSorted(([, a], [, b]) => Math.max(...b.map(({ ms }) => ms)) - Math.max(...a.map(({ ms }) => ms)))
    .slice(0, tablesDrawn);
  lane('Locks by table', tables.length === 0 ? 'none that was seen' : '');
  for (const [table, held] of tables) {
    y += row;
    const drawn = held.toSorted((a, b) => lockModes.indexOf(a.mode) - lockModes.indexOf(b.mode));
    parts.push(
      label(table),
      ...drawn.map(({ at, ms, mode }) => bar(at, ms, modeColours[mode], `${mode} on ${table} for ${timeText(ms)}`)),
    );
  }

  y += row + 14;
  const blocked = chart(report, {
    y,
    height: 56,
    value: (bucket) => bucket.blocked,
    colour: '#c8323f',
    unit: (value) => String(value),
    x,
  });
  lane('Blocked queries');
  parts.push(blocked);
  y += 56 + row + 8;
  lane(load.kind === 'command' ? 'Oldest query' : 'Worst latency');
  parts.push(chart(report, { y, height: 84, value: (bucket) => bucket.max, colour: 'var(--blue)', unit: timeText, x }));
  y += 84 + 6;

  const step = niceStep(end / 10);
  const axis: string[] = [];
  for (let at = 0; at <= end; at += step)
    axis.push(
      `<line class="grid" x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="8" y2="${y}"/><text ` +
        `class="soft" x="${x(at).toFixed(1)}" y="${y + 16}" text-anchor="middle">${step >= 1000 ? `${at / 1000} s` : `${at} ms`}</text>`,
    );
  const [first, last] = [statements[0], statements.at(-1)];
  const band =
    first && last
      ? `<rect x="${x(first.at).toFixed(1)}" y="8" width="${Math.max(1, x(last.at + last.ms) - x(first.at)).toFixed(1)}" height="${y - 8}" fill="var(--card)"/>`
      : '';
  const used = lockModes.filter((mode) => locks.some((lock) => lock.mode === mode));
  return `<div class="drawing" tabindex="0" role="group" aria-label="Timeline">
<svg viewBox="0 0 ${width} ${y + 24}" role="img" aria-label="timeline of the rehearsal">${band}${axis.join('')}${parts.join('')}</svg></div>
<p class="legend">${used.map((mode) => key(modeColours[mode], mode)).join('')}${key('#8b98a5', 'no lock on a table that was there')}</p>`;
}

function key(colour: string, what: string): string {
  return `<span><i class="dot" style="background:${colour}"></i>${what}</span>`;
}

function colourOf({ locks }: StatementReport): string {
  const [worst] = locks;
  return worst ? modeColours[worst.mode] : '#8b98a5';
}

interface Chart {
  readonly y: number;
  readonly height: number;
  readonly value: (bucket: RehearsalReport['load']['buckets'][number]) => number;
  readonly colour: string;
  readonly unit: (value: number) => string;
  readonly x: (ms: number) => number;
}

/** A filled line; its top is the largest value, which is written beside it. */
function chart({ load }: RehearsalReport, { y, height, value, colour, unit, x }: Chart): string {
  const top = Math.max(0, ...load.buckets.map(value));
  const base = y + height;
  const at = (amount: number): string => (base - (top === 0 ? 0 : (amount / top) * (height - 6))).toFixed(1);
  const points = load.buckets.flatMap((bucket) => [
    `${x(bucket.at).toFixed(1)},${at(value(bucket))}`,
    `${x(bucket.at + load.bucketMs).toFixed(1)},${at(value(bucket))}`,
  ]);
  const shape =
    points.length === 0
      ? ''
      : `<polygon points="${x(0)},${base} ${points.join(' ')} ` +
        `${x(load.buckets.length * load.bucketMs).toFixed(1)},${base}" fill="${colour}" fill-opacity="0.22" ` +
        `stroke="${colour}" stroke-width="1.2"/>`;
  return (
    `<text x="${left - 10}" y="${y + 12}" text-anchor="end">${escape(unit(top))}</text><text class="soft" x="${left - 10}" ` +
    `y="${base}" text-anchor="end">0</text><line class="grid" x1="${left}" x2="${width - right}" y1="${base}" ` +
    `y2="${base}"/>${shape}`
  );
}

function niceStep(about: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, about)));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= about) ?? 10);
}
