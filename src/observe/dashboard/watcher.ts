import { scrub } from '../../operations/reads/doctor/scrub.ts';
import { describe } from '../../model/errors.ts';
import type { Environment } from '../../model/environment.ts';
import type { Watched } from '../subject.ts';
import { lookAt, lookBehind, type Background, type Look } from './look.ts';

/** What is asked each second while somebody follows. */
export interface Followed extends Look {
  readonly environment: Environment;
  /** Bytes that replication was behind at the last looks. */
  readonly lag: readonly number[];
}

export interface Seen extends Followed, Background {}

/** Milliseconds for which a look holds good, and between two looks for those who follow it. */
const fresh = 1_000;
/** As `fresh`, for what costs the servers more; not asked while an operation runs. */
const background = 15_000;
/** Looks whose lag is remembered. */
const remembered = 120;

/**
 * Looks at one environment for everybody who asks: one look at a time, however many there are and however long it
 * takes.
 */
export class Watcher {
  readonly name: string;
  readonly #open: () => Promise<Watched>;
  readonly #followers = new Set<() => void>();
  #look: Promise<Followed> | undefined;
  /** When the last look ended; undefined while one is under way. */
  #looked: number | undefined;
  #behind: { readonly at: number; readonly of: string; readonly background: Background } | undefined;
  #asking: Promise<Background> | undefined;
  #lag: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #telling = false;

  constructor(name: string, open: () => Promise<Watched>) {
    this.name = name;
    this.#open = open;
  }

  /** As of now, or of a moment ago. Fails where the declaration or the journal cannot be read. */
  now(): Promise<Followed> {
    if (this.#look && (this.#looked === undefined || performance.now() - this.#looked <= fresh)) return this.#look;
    this.#looked = undefined;
    this.#look = this.#lookNow().finally(() => (this.#looked = performance.now()));
    this.#look.catch(() => undefined);
    return this.#look;
  }

  /** The same with what is behind it: gates take seconds where servers or this machine are busy. */
  async seen(): Promise<Seen> {
    const now = await this.now();
    return { ...now, ...(await this.#background(now)) };
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
    if (this.#telling) return;
    this.#telling = true;
    await this.now().catch(() => undefined);
    this.#telling = false;
    for (const changed of this.#followers) changed();
  }

  async #lookNow(): Promise<Followed> {
    const { environment, platform } = await this.#open();
    const now = await lookAt(environment, platform);
    if (now.status.replication?.lagBytes !== undefined)
      this.#lag = [...this.#lag, now.status.replication.lagBytes].slice(-remembered);
    return { environment, ...now, lag: this.#lag };
  }

  /** What is known of the same state is shown while it is asked for again. */
  async #background({ operation, status }: Followed): Promise<Background> {
    const known = this.#behind;
    const of = `${status.state} ${status.live} ${status.release?.to ?? ''}`;
    if (known && (operation || (known.of === of && performance.now() - known.at < background))) return known.background;
    const asking = (this.#asking ??= this.#ask(of).finally(() => (this.#asking = undefined)));
    asking.catch(() => undefined);
    return known?.of === of ? known.background : asking;
  }

  async #ask(of: string): Promise<Background> {
    const { environment, platform } = await this.#open();
    const asked = await lookBehind(environment, platform);
    this.#behind = { at: performance.now(), of, background: asked };
    return asked;
  }
}

/** Of an environment that cannot be looked at. */
export function whyUnseen(error: unknown): string {
  return scrub(describe(error), []);
}
