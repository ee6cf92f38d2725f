import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../model/environment.ts';
import { shapesOf, type FlagFacts } from '../../model/flags.ts';
import type { Journal } from '../../model/journal.ts';
import type { State } from '../../model/transitions.ts';
import { readJournal } from '../../operations/engine/ledger.ts';
import { readStatus } from '../../operations/reads/status.ts';
import type { Watched } from '../subject.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import type { Platform } from '../../platform/port/platform.ts';

type Servers = Partial<Pick<FlagFacts, 'backfills' | 'losslessRollback'>> & { readonly of?: State };

/**
 * Milliseconds for which the journal's answer holds good: with it and the way to the asker a switchover shows within a
 * second.
 */
const fresh = 250;
/** As `fresh`, for what the servers have to be asked; where they do not answer it is unknown after so long. */
const freshServers = 2_000;
/** Milliseconds that the first who ask wait for the servers. */
const patience = 1_000;

/**
 * The facts for everybody who asks: one look at a time. Fails where the journal cannot be read: nothing old is answered
 * in its place.
 */
export class Facts {
  /** The declaration as it is now, and where it is. */
  readonly open: () => Promise<Watched>;
  #facts: { readonly at: number; readonly facts: Promise<FlagFacts> } | undefined;
  #history: { readonly of: string; readonly entries: readonly HistoryEntry[] } | undefined;
  #servers: { readonly at: number; readonly servers: Servers } = { at: -Infinity, servers: {} };
  #asking: Promise<void> | undefined;

  constructor(open: () => Promise<Watched>) {
    this.open = open;
  }

  now(): Promise<FlagFacts> {
    const known = this.#facts;
    if (known && performance.now() - known.at < fresh) return known.facts;
    const facts = this.#read();
    facts.catch(() => undefined);
    this.#facts = { at: performance.now(), facts };
    return facts;
  }

  async #read(): Promise<FlagFacts> {
    const { environment, platform } = await this.open();
    const journal = await readJournal(platform.journal);
    if (this.#servers.at === -Infinity)
      await Promise.race([this.#ask(environment, platform), pause(patience, undefined, { ref: false })]);
    else if (performance.now() - this.#servers.at > freshServers) void this.#ask(environment, platform);
    const late = performance.now() - this.#servers.at > 2 * freshServers;
    const { of, backfills, losslessRollback } = late ? {} : this.#servers.servers;
    // Of another state it says nothing of this one.
    const rollback = of === journal.state ? losslessRollback : undefined;
    return { ...(await this.#shapes(platform, journal)), backfills, losslessRollback: rollback };
  }

  /** A release is in the history before the journal forgets it, so the history is read after the journal. */
  async #shapes(platform: Platform, { live, state, liveRelease, release }: Journal): Promise<FlagFacts> {
    const of = `${liveRelease} ${release?.startedAt ?? ''}`;
    if (this.#history?.of !== of) this.#history = { of, entries: await platform.history.list() };
    return { live, state, liveRelease, shapes: shapesOf({ liveRelease, release }, this.#history.entries) };
  }

  /** Beside what is answered: a server that hangs keeps nobody waiting. */
  #ask(environment: Environment, platform: Platform): Promise<void> {
    this.#asking ??= readStatus(environment, platform)
      .then(({ backfills, losslessRollback, state }) => {
        const servers: Servers = {
          of: state,
          losslessRollback: state === 'switched' ? losslessRollback : false,
          backfills:
            'error' in backfills
              ? undefined
              : new Map(backfills.map(({ name, state: at }) => [name, at === 'complete'] as const)),
        };
        this.#servers = { at: performance.now(), servers };
      })
      .catch(() => undefined)
      .finally(() => (this.#asking = undefined));
    return this.#asking;
  }
}
