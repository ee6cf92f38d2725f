import { scrub } from '../../operations/reads/doctor/scrub.ts';
import { describe } from '../../model/errors.ts';
import type { Environment } from '../../model/environment.ts';
import type { Watched } from '../subject.ts';
import { lookAt, lookBehind, type Background, type Look } from './look.ts';

export interface Seen extends Look, Background {
  readonly environment: Environment;
  /** Bytes that replication was behind at the last looks. */
  readonly lag: readonly number[];
}

/** Milliseconds for which a look holds good, and between two looks for those who follow it. */
const fresh = 1_000;
/** As `fresh`, for what costs the servers more; not asked while an operation runs. */
const background = 15_000;
/** Looks whose lag is remembered. */
const remembered = 120;

/** Looks at one environment for everybody who asks: one look at a time, however many there are. */
export class Watcher {
  readonly name: string;
  readonly #open: () => Promise<Watched>;
  readonly #followers = new Set<() => void>();
  #seen: Promise<Seen> | undefined;
  #looked = -Infinity;
  #behind: { readonly at: number; readonly of: string; readonly background: Background } | undefined;
  #lag: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, open: () => Promise<Watched>) {
    this.name = name;
    this.#open = open;
  }

  /** As of now, or of a moment ago. Fails where the declaration or the journal cannot be read. */
  seen(): Promise<Seen> {
    if (this.#seen === undefined || performance.now() - this.#looked > fresh) {
      this.#looked = performance.now();
      this.#seen = this.#look();
      this.#seen.catch(() => undefined);
    }
    return this.#seen;
  }

  /** Calls `changed` after each look until the signal. */
  follow(changed: () => void, signal: AbortSignal): void {
    this.#followers.add(changed);
    this.#timer ??= setInterval(() => void this.#tell(), fresh);
    signal.addEventListener('abort', () => {
      this.#followers.delete(changed);
      if (this.#followers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }

  async #tell(): Promise<void> {
    await this.seen().catch(() => undefined);
    for (const changed of this.#followers) changed();
  }

  async #look(): Promise<Seen> {
    const { environment, platform } = await this.#open();
    const now = await lookAt(environment, platform);
    if (now.status.replication?.lagBytes !== undefined)
      this.#lag = [...this.#lag, now.status.replication.lagBytes].slice(-remembered);
    const behind = await this.#background({ environment, platform }, now);
    this.#looked = performance.now();
    return { environment, ...now, ...behind, lag: this.#lag };
  }

  async #background({ environment, platform }: Watched, { operation, status }: Look): Promise<Background> {
    const known = this.#behind;
    const of = `${status.state} ${status.live} ${status.release?.to ?? ''}`;
    if (known && (operation || (known.of === of && performance.now() - known.at < background))) return known.background;
    const asked = await lookBehind(environment, platform);
    this.#behind = { at: performance.now(), of, background: asked };
    return asked;
  }
}

/** Of an environment that cannot be looked at. */
export function whyUnseen(error: unknown): string {
  return scrub(describe(error), []);
}
