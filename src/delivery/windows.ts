import { DateTime } from 'luxon';
import { freezeDates, weekdayNumbers, type Delivery, type DeliveryWindow } from '../model/delivery.ts';

type Calendar = Pick<Delivery, 'timeZone' | 'windows' | 'freeze'>;

/** Days that are looked through for an opening: a freeze may be long, but a year without a window is none. */
const horizon = 400;

/**
 * When `switch` and `retire` may begin next, in ms since the epoch: `now` where they may now, undefined where never.
 */
export function nextOpening({ timeZone, windows, freeze }: Calendar, now: number): number | undefined {
  const today = DateTime.fromMillis(now, { zone: timeZone }).startOf('day');
  for (let ahead = 0; ahead < horizon; ahead++) {
    // Where the clock is changed at midnight a day begins at one.
    const date = today.plus({ days: ahead }).startOf('day');
    if (frozen(freeze, date)) continue;
    const openings = spansOf(windows, date)
      .filter(({ to }) => to > now)
      .map(({ from }) => Math.max(from, now));
    if (openings.length > 0) return Math.min(...openings);
  }
  return undefined;
}

/** Days before and after that a span which is open without a break is looked for in: longer than any limit. */
const around = 8;

/** The span around `now` in which `switch` and `retire` may begin, in ms since the epoch; undefined outside of any. */
export function openSpan(
  { timeZone, windows, freeze }: Calendar,
  now: number,
): { readonly from: number; readonly to: number } | undefined {
  const today = DateTime.fromMillis(now, { zone: timeZone }).startOf('day');
  const days = Array.from({ length: 2 * around + 1 }, (_, index) =>
    today.plus({ days: index - around }).startOf('day'),
  );
  const spans = days.filter((date) => !frozen(freeze, date)).flatMap((date) => spansOf(windows, date));
  let open = spans.find(({ from, to }) => from <= now && now < to);
  // Two that touch, at midnight above all, are one.
  for (let wider = open; wider;) {
    const { from, to } = wider;
    open = wider;
    wider = spans.find((each) => each.from <= to && each.to >= from && (each.from < from || each.to > to));
    if (wider) wider = { from: Math.min(from, wider.from), to: Math.max(to, wider.to) };
  }
  return open;
}

/** In the zone of the windows, for people. */
export function clockText({ timeZone }: Pick<Delivery, 'timeZone'>, at: number): string {
  return `${DateTime.fromMillis(at, { zone: timeZone }).toFormat('ccc yyyy-MM-dd HH:mm', { locale: 'en' })} ${timeZone}`;
}

function frozen(freeze: Calendar['freeze'], date: DateTime): boolean {
  const day = date.toFormat('yyyy-MM-dd');
  return freeze.some((text) => {
    const [first, last] = freezeDates(text);
    return first <= day && day <= last;
  });
}

function spansOf(windows: readonly DeliveryWindow[], date: DateTime): { from: number; to: number }[] {
  if (windows.length === 0) return [{ from: date.toMillis(), to: date.plus({ days: 1 }).startOf('day').toMillis() }];
  return windows
    .filter((window) => weekdayNumbers(window).includes(date.weekday))
    .map(({ from, to }) => ({ from: at(date, from), to: at(date, to) }));
}

/** By the wall clock, so that a window is where people look for it on the two days on which the clock is changed. */
function at(date: DateTime, time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return time === '24:00' ? date.plus({ days: 1 }).startOf('day').toMillis() : date.set({ hour, minute }).toMillis();
}
