import { nameLabel, type Name } from './ast.ts';
import type { UniqueKey } from '../shapes/unique-key.ts';

export interface IndexFact {
  readonly name: Name;
  readonly table: Name;
  readonly unique: boolean;
  readonly columns: readonly string[];
  readonly key: UniqueKey;
  readonly batch: number;
}

/** Those of a schema, by name and by table: a history of thousands of files asks for a table's own each time. */
export class Indexes {
  readonly #byName = new Map<string, IndexFact>();
  readonly #byTable = new Map<string, Set<IndexFact>>();
  /** By table: dropped ones, with the batch in which they were. */
  readonly #gone = new Map<string, { readonly fact: IndexFact; readonly batch: number }[]>();

  get(name: Name): IndexFact | undefined {
    return this.#byName.get(nameLabel(name));
  }

  of(table: Name): Iterable<IndexFact> {
    return this.#byTable.get(nameLabel(table)) ?? [];
  }

  /** Those of the table that the batch dropped. */
  gone(table: Name, batch: number): IndexFact[] {
    return (this.#gone.get(nameLabel(table)) ?? []).filter((one) => one.batch === batch).map((one) => one.fact);
  }

  add(fact: IndexFact): void {
    const former = this.get(fact.name);
    if (former) this.#byTable.get(nameLabel(former.table))?.delete(former);
    this.#byName.set(nameLabel(fact.name), fact);
    at(this.#byTable, fact.table, () => new Set()).add(fact);
  }

  drop(name: Name, batch: number): void {
    const fact = this.get(name);
    if (!fact) return;
    this.#byName.delete(nameLabel(name));
    this.#byTable.get(nameLabel(fact.table))?.delete(fact);
    at(this.#gone, fact.table, () => []).push({ fact, batch });
  }
}

function at<Value>(map: Map<string, Value>, table: Name, make: () => Value): Value {
  const known = map.get(nameLabel(table)) ?? make();
  map.set(nameLabel(table), known);
  return known;
}
