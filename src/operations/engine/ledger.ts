import { staleToken } from '../../model/failures.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { journalAround, journalInside } from '../../model/journal-inside.ts';
import type { Journal } from '../../model/journal.ts';
import { parseJournal, serializeJournal } from '../../model/journal-text.ts';
import type { JournalStore } from '../../platform/port/journal.ts';

/** What all looks at one journal share: where it is, and how it was written last. */
interface Written {
  readonly store: JournalStore;
  readonly token: number;
  revision: number;
  journal: Journal;
  /** Writes come one after another: databases are worked on side by side. */
  last: Promise<unknown>;
}

/**
 * The journal under one lease. Every write is a compare-and-swap with the fencing token: a process that lost its lease,
 * or slept through somebody else's work, cannot write, and so cannot pass the commit point.
 */
export class Ledger {
  readonly #written: Written;
  readonly #database: string | undefined;

  private constructor(written: Written, database?: string) {
    this.#written = written;
    this.#database = database;
  }

  /** Opens the journal for writing with the token of a lease just taken. */
  static async open(store: JournalStore, token: number): Promise<Ledger> {
    const stored = await readStored(store);
    if (stored.journal.token > token) {
      throw staleToken('the journal', token, stored.journal.token);
    }
    return new Ledger({ store, token, ...stored, last: Promise.resolve() });
  }

  /** For looking only: it refuses to write. */
  static async readOnly(store: JournalStore): Promise<Ledger> {
    const stored = await readStored(store);
    const refuse: JournalStore = {
      read: () => store.read(),
      write: () => Promise.reject(new Error('a dry run does not write')),
    };
    return new Ledger({ store: refuse, token: stored.journal.token, ...stored, last: Promise.resolve() });
  }

  /** The same journal, as if the release were of this further database alone. */
  inside(database: string): Ledger {
    return new Ledger(this.#written, database);
  }

  get journal(): Journal {
    const { journal } = this.#written;
    return this.#database === undefined ? journal : journalInside(journal, this.#database);
  }

  get token(): number {
    return this.#written.token;
  }

  /** Durable when it returns. */
  async write(change: (journal: Journal) => Journal): Promise<Journal> {
    const written = this.#written;
    const mine = written.last.then(
      () => this.#put(change),
      () => this.#put(change),
    );
    written.last = mine;
    return mine;
  }

  async #put(change: (journal: Journal) => Journal): Promise<Journal> {
    const written = this.#written;
    const changed = change(this.journal);
    const whole = this.#database === undefined ? changed : journalAround(written.journal, this.#database, changed);
    const next = { ...whole, token: written.token };
    const settling = settles(written.journal) || (next.operation !== null && takesBack(next.operation));
    written.revision = await written.store.write(written.revision, serializeJournal(next), settling);
    written.journal = next;
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

/** As `readJournal`, with the revision that it is. */
export async function readStored(store: JournalStore): Promise<{ revision: number; journal: Journal }> {
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
