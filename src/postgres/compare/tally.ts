import type { Client } from '../client.ts';
import type { Bound } from './chunk.ts';
import type { ComparePair } from './session.ts';
import type { KeyVerdict } from './verdict.ts';
import { absent, keyId, readColumnHashes, type KeyState } from './states.ts';
import type { Subject } from './subject.ts';
import type { Difference, DifferenceKind, Example, KeyValues } from './types.ts';

const exampleLimit = 5;

interface Entry {
  count: number;
  first: Bound;
  last: Bound;
  readonly examples: Example[];
}

/** The differences of one table, counted; of the rows themselves only the outermost and a few examples are kept. */
export class RowTally {
  readonly #subject: Subject;
  readonly #entries = new Map<DifferenceKind, Entry>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Rows that the candidate has more than the live side (negative: fewer). */
  surplus = 0;

  /** Everything counted so far. */
  get count(): number {
    return [...this.#entries.values()].reduce((sum, entry) => sum + entry.count, 0);
  }

  #last: Promise<void> = Promise.resolve();

  /** Callers take turns: each widens the range that the one before it left. */
  async add(pair: ComparePair, keys: readonly Bound[], verdicts: readonly KeyVerdict[]): Promise<void> {
    const turn = this.#last.then(() => this.#add(pair, keys, verdicts));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #add(pair: ComparePair, keys: readonly Bound[], verdicts: readonly KeyVerdict[]): Promise<void> {
    const groups = new Map<DifferenceKind, { key: Bound; count: number }[]>();
    keys.forEach((key, index) => {
      const verdict = verdicts[index];
      if (verdict?.is !== 'different') return;
      const { kind, count, surplus } = classify(verdict.live, verdict.candidate);
      this.surplus += surplus;
      const group = groups.get(kind) ?? [];
      groups.set(kind, group);
      group.push({ key, count });
    });
    for (const [kind, found] of groups) await this.#addKind(pair, kind, found);
  }

  async #addKind(
    pair: ComparePair,
    kind: DifferenceKind,
    found: readonly { key: Bound; count: number }[],
  ): Promise<void> {
    const known = this.#entries.get(kind);
    const keys = found.map(({ key }) => key);
    const sorted = await sortKeys(pair.live, this.#subject, known ? [known.first, known.last, ...keys] : keys);
    const entry: Entry = known ?? { count: 0, first: [], last: [], examples: [] };
    this.#entries.set(kind, entry);
    entry.first = sorted[0] as Bound;
    entry.last = sorted.at(-1) as Bound;
    entry.count += found.reduce((sum, { count }) => sum + count, 0);
    const fresh = new Set(keys.map(keyId));
    const chosen = sorted.filter((key) => fresh.has(keyId(key))).slice(0, exampleLimit - entry.examples.length);
    entry.examples.push(...(await this.#examples(pair, kind, chosen)));
  }

  async #examples(pair: ComparePair, kind: DifferenceKind, keys: readonly Bound[]): Promise<Example[]> {
    const subject = this.#subject;
    const [live, candidate] =
      kind === 'different'
        ? await Promise.all([
            readColumnHashes(pair.live, subject, 'live', keys),
            readColumnHashes(pair.candidate, subject, 'candidate', keys),
          ])
        : [[], []];
    return keys.map((key, index) => {
      const [left, right] = [live[index], candidate[index]];
      const columns =
        left && right
          ? subject.columnHashes.filter((_, place) => left[place] !== right[place]).map(({ name }) => name)
          : [];
      return { key: keyValues(subject, key), columns };
    });
  }

  differences(): Difference[] {
    return [...this.#entries].map(([kind, entry]) => ({
      kind,
      count: entry.count,
      first: keyValues(this.#subject, entry.first),
      last: keyValues(this.#subject, entry.last),
      examples: entry.examples,
    }));
  }
}

function classify(live: KeyState, candidate: KeyState): { kind: DifferenceKind; count: number; surplus: number } {
  const surplus = rowsOf(candidate) - rowsOf(live);
  if (candidate === absent || surplus < 0) return { kind: 'missing on candidate', count: -surplus, surplus };
  if (live === absent || surplus > 0) return { kind: 'extra on candidate', count: surplus, surplus };
  return { kind: 'different', count: 1, surplus };
}

function rowsOf(state: KeyState): number {
  return Number(state.slice(0, state.indexOf(':')));
}

function keyValues(subject: Subject, key: Bound): KeyValues {
  return subject.key.length > 0
    ? Object.fromEntries(subject.key.map((column, part) => [column.name, key[part] as string]))
    : { 'row hash': key[0] as string };
}

/** In the live side's key order, which only the server knows. */
async function sortKeys(live: Client, subject: Subject, keys: readonly Bound[]): Promise<Bound[]> {
  const types = subject.key.length > 0 ? subject.key.map((column) => column.type.live) : ['int8'];
  const names = types.map((_, part) => `k${part + 1}`);
  const result = await live.query<string[]>({
    rowMode: 'array',
    values: types.map((_, part) => keys.map((key) => key[part])),
    text: `SELECT ${names.join(', ')} FROM unnest(${types.map((_, part) => `$${part + 1}::text[]`).join(', ')}) AS k(${names.join(', ')})
      ORDER BY ${names.map((name, part) => `${name}::${types[part]}`).join(', ')}`,
  });
  return result.rows;
}
