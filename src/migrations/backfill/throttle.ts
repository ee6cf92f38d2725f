import { pauseUnless } from '../../model/wait.ts';

/** What a backfill yields to, looked at before each batch. */
export interface Pressure {
  /** Bytes that replication is behind; undefined where nothing is replicated. */
  lag(): Promise<number | undefined>;
  /** Sessions of clients that are at work on the live colour at this moment. */
  active(): Promise<number>;
}

export interface ThrottleLimits {
  readonly lag: number;
  readonly active: number;
}

/** Milliseconds between two looks while there is pressure. */
const pause = 100;

export interface Pressed {
  /** Why the next batch has to wait, in words for people; undefined where nothing presses. */
  readonly why: string | undefined;
  /** Bytes that the next batch may add to the lag. */
  readonly room: number;
}

/** From half the lag's limit on batches wait: clients write too, and replication has to come down again. */
export async function pressing(pressure: Pressure, limits: ThrottleLimits): Promise<Pressed> {
  const lag = await pressure.lag();
  const room = lag === undefined ? Infinity : Math.max(0, limits.lag - lag);
  if (lag !== undefined && lag > limits.lag / 2)
    return {
      why: `replication is ${Math.round(lag / 1024)} KiB behind, and is to stay below ${Math.round(limits.lag / 1024)} KiB`,
      room,
    };
  const active = await pressure.active();
  return {
    why:
      active > limits.active
        ? `${active} clients are at work on the live colour, the limit is ${limits.active}`
        : undefined,
    room,
  };
}

/**
 * Waits until nothing presses or `until`, a time of performance.now(), has come; `waited`: whether there was pressure at all.
 */
export async function yielding(
  pressure: Pressure,
  limits: ThrottleLimits,
  options: { readonly until: number; readonly signal: AbortSignal; readonly say: (why: string) => void },
): Promise<{ readonly waited: boolean; readonly room: number }> {
  for (let waited = false; ; waited = true) {
    const { why, room } = await pressing(pressure, limits);
    options.signal.throwIfAborted();
    if (why === undefined || performance.now() >= options.until) return { waited, room };
    options.say(why);
    await pauseUnless(pause, options.signal);
  }
}
