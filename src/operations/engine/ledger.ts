import { staleToken } from '../../model/failures.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { parseJournal, serializeJournal, type Journal } from '../../model/journal.ts';
import type { JournalStore } from '../../platform/port/journal.ts';

/**
 * The journal under one lease. Every write is a compare-and-swap with the fencing token: a process that lost its lease,
 * or slept through somebody else's work, cannot write, and so cannot pass the commit point.
 */
export class Ledger {
  readonly #store: JournalStore;
  readonly #token: number;
  #revision: number;
  #journal: Journal;

  private constructor(store: JournalStore, token: number, revision: number, journal: Journal) {
    this.#store = store;
    this.#token = token;
    this.#revision = revision;
    this.#journal = journal;
  }

  /** Opens the journal for writing with the token of a lease just taken. */
  static async open(store: JournalStore, token: number): Promise<Ledger> {
    const stored = await readStored(store);
    if (stored.journal.token > token) {
      throw staleToken('the journal', token, stored.journal.token);
    }
    return new Ledger(store, token, stored.revision, stored.journal);
  }

  /** For looking only: it refuses to write. */
  static async readOnly(store: JournalStore): Promise<Ledger> {
    const stored = await readStored(store);
    const refuse: JournalStore = {
      read: () => store.read(),
      write: () => Promise.reject(new Error('a dry run does not write')),
    };
    return new Ledger(refuse, stored.journal.token, stored.revision, stored.journal);
  }

  get journal(): Journal {
    return this.#journal;
  }

  get token(): number {
    return this.#token;
  }

  /** Durable when it returns. */
  async write(change: (journal: Journal) => Journal): Promise<Journal> {
    const next = { ...change(this.#journal), token: this.#token };
    const settling = settles(this.#journal) || (next.operation !== null && takesBack(next.operation));
    this.#revision = await this.#store.write(this.#revision, serializeJournal(next), settling);
    this.#journal = next;
    return next;
  }
}

/** Giving up the candidate is what frees a full disk, so it may not ask for room itself. */
function takesBack({ phase, verb }: NonNullable<Journal['operation']>): boolean {
  return phase === 'revert' || verb === 'abandon';
}

/** What is open has only one way to its end, and clients may wait for it. */
function settles({ operation }: Journal): boolean {
  return operation?.phase === 'revert' || operation?.phase === 'complete';
}

/** Reads without a lease: for status, plans and previews. */
export async function readJournal(store: JournalStore): Promise<Journal> {
  return (await readStored(store)).journal;
}

async function readStored(store: JournalStore): Promise<{ revision: number; journal: Journal }> {
  const stored = await store.read();
  if (stored === undefined) {
    throw new VerdigrisError('no-environment', {
      seen: 'There is no journal: this environment was never created here.',
      required: 'an environment.',
      next:
        'run `verdigris create`, or check the name in the declaration and VERDIGRIS_HOME. Where it did exist, ' +
        '`verdigris recover --rebuild` shows what is left of it.',
    });
  }
  return { revision: stored.revision, journal: parseJournal(stored.text, stored.where) };
}
