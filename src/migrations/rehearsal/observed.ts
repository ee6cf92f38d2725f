import type { LockMode } from '../lint/locks.ts';
import { modeOf } from './modes.ts';

/** One look at the server; `at`, `since` and `begun` in ms of its clock. */
export interface Sample {
  readonly at: number;
  readonly migration: readonly number[];
  readonly held: readonly { readonly pid: number; readonly table: string; readonly mode: string }[];
  readonly waiting: readonly Waiting[];
  /** Age in ms of the oldest query of the workload that is running. */
  readonly oldest: number;
}

interface Waiting {
  readonly pid: number;
  readonly query: string;
  readonly application: string;
  readonly by: readonly number[];
  readonly table: string | null;
  readonly mode: string;
  readonly since: number;
  readonly begun: number;
}

export interface ObservedHold {
  readonly table: string;
  readonly mode: LockMode;
  readonly from: number;
  to: number;
}

export interface ObservedWait {
  readonly query: string;
  readonly application: string;
  readonly table: string | null;
  readonly mode: LockMode | undefined;
  readonly from: number;
  to: number;
  /** Query of a session that was in the way, for waits of the migration. */
  readonly behind: string;
}

/**
 * Joins samples to holds and waits: each begins when it is first seen (a wait when the server says), and ends
 * between the last sample with it and the first without.
 */
export class Observations {
  readonly holds: ObservedHold[] = [];
  /** Of the workload, behind the migration. */
  readonly blocked: ObservedWait[] = [];
  /** Of the migration. */
  readonly waited: ObservedWait[] = [];
  readonly ages: { readonly at: number; readonly ms: number }[] = [];
  readonly #held = new Map<string, ObservedHold>();
  readonly #waits = new Map<string, ObservedWait>();
  #last = 0;

  take(sample: Sample): void {
    this.#finish(this.#held, new Set(sample.held.map(holdKey)), sample.at);
    this.#finish(this.#waits, new Set(sample.waiting.map(waitKey)), sample.at);
    for (const seen of sample.held) this.#hold(seen, sample.at);
    for (const seen of sample.waiting) this.#wait(seen, sample);
    this.ages.push({ at: sample.at, ms: sample.oldest });
    this.#last = sample.at;
  }

  end(): void {
    this.#held.clear();
    this.#waits.clear();
  }

  #finish(open: Map<string, { to: number }>, still: ReadonlySet<string>, at: number): void {
    for (const [key, span] of open) {
      if (still.has(key)) continue;
      span.to = (this.#last + at) / 2;
      open.delete(key);
    }
  }

  #hold(seen: Sample['held'][number], at: number): void {
    const mode = modeOf(seen.mode);
    if (!mode) return;
    const known = this.#held.get(holdKey(seen));
    if (known) {
      known.to = at;
      return;
    }
    const hold = { table: seen.table, mode, from: at, to: at };
    this.#held.set(holdKey(seen), hold);
    this.holds.push(hold);
  }

  #wait(seen: Waiting, sample: Sample): void {
    const known = this.#waits.get(waitKey(seen));
    if (known) {
      known.to = sample.at;
      return;
    }
    const mine = sample.migration.includes(seen.pid);
    if (!mine && !behindMigration(seen, sample)) return;
    const behind = sample.waiting.find(({ pid }) => seen.by.includes(pid))?.query ?? `session ${seen.by.join(', ')}`;
    const wait = {
      query: seen.query,
      application: seen.application,
      table: seen.table,
      mode: modeOf(seen.mode),
      from: Math.min(seen.since, sample.at),
      to: sample.at,
      behind,
    };
    this.#waits.set(waitKey(seen), wait);
    (mine ? this.waited : this.blocked).push(wait);
  }
}

/** Directly, or behind somebody who is: whoever queues behind a waiting migration waits for it too. */
function behindMigration(seen: Waiting, { migration, waiting }: Sample): boolean {
  const asked = new Set<number>();
  const pending = [...seen.by];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (migration.includes(pid)) return true;
    if (asked.has(pid)) continue;
    asked.add(pid);
    pending.push(...(waiting.find((other) => other.pid === pid)?.by ?? []));
  }
  return false;
}

function holdKey({ pid, table, mode }: Sample['held'][number]): string {
  return `${pid} ${table} ${mode}`;
}

/** A session has one query at a time; a new one waits again. */
function waitKey({ pid, begun }: Waiting): string {
  return `${pid} ${begun}`;
}
