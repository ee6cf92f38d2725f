import { nameLabel, type Name } from './ast.ts';
import { Indexes } from './index-facts.ts';
import { columnsKey, type UniqueKey } from '../shapes/unique-key.ts';
import type { Formula } from '../shapes/formula.ts';
import type { ColumnType } from './column-type.ts';

/** What the migrations so far say about a column. */
export interface ColumnFact {
  readonly type: ColumnType;
  readonly notNull: boolean;
  /** Its name before this release renamed it: the one that the live release knows, with the batch of the rename. */
  readonly was?: { readonly name: string; readonly batch: number };
  /** A default, identity or generation expression that fills it where an INSERT leaves it out. */
  readonly hasDefault: boolean;
  /** No two rows get the same from it: an identity, a sequence, a random UUID. */
  readonly drawn?: boolean;
  /** The text of a default that is a constant. */
  readonly constant?: string | undefined;
  /** What the default says, where a file said it. */
  readonly defaultSays?: string;
  readonly generated?: 'stored' | 'virtual';
  /** The sequence that numbers it: a serial's own, or that of a nextval() default. */
  readonly sequence?: Name;
  /** The batch in which it was added: the live release does not know a column of the batch at hand. */
  readonly batch: number;
}

export interface ConstraintFact {
  readonly kind: 'check' | 'primary' | 'unique' | 'foreign' | 'exclusion' | 'not-null';
  readonly columns: readonly string[];
  readonly valid: boolean;
  readonly deferrable: boolean;
  /** Of a check: what follows from it, it takes already. */
  readonly formula?: Formula;
  /** What it says, apart from its name: two that say the same refuse the same rows. */
  readonly says: string;
  /** Columns that a check proves not to be null. */
  readonly provesNotNull: readonly string[];
  readonly batch: number;
}

export interface TableFact {
  readonly name: Name;
  /** As of a column. */
  readonly was?: { readonly name: Name; readonly batch: number };
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table';
  readonly batch: number;
  /** Its CREATE was seen: a column that is not here does not exist. */
  readonly complete: boolean;
  readonly temporary: boolean;
  readonly columns: Map<string, ColumnFact>;
  readonly constraints: Map<string, ConstraintFact>;
  /** Constraints that were dropped, with the batch in which they were. */
  readonly constraintsGone: { readonly fact: ConstraintFact; readonly batch: number }[];
}

export interface FunctionFact {
  readonly name: Name;
  /** Types of the input arguments, as text. */
  readonly arguments: string;
  readonly returns: string;
  readonly volatile: boolean;
  readonly searchPath: boolean;
  /** SECURITY DEFINER. */
  readonly definer: boolean;
  readonly batch: number;
}

/** A function in a default. */
export interface VolatileCall {
  readonly name: string;
  /**
   * False where none of the files makes the function and it is not PostgreSQL's: VOLATILE is what a function is unless
   * it says otherwise.
   */
  readonly certain: boolean;
}

export interface TypeFact {
  readonly name: Name;
  readonly kind: 'enum' | 'domain' | 'other';
  /** A domain with NOT NULL or CHECK: a new column of it is computed row by row. */
  readonly constrained: boolean;
  /** Of a domain whose default gives each row a value of its own: the function that does. */
  readonly volatileDefault?: VolatileCall | undefined;
  /** Of an enum whose CREATE was seen. */
  readonly values?: readonly string[];
  /** Of a domain: its checks, also those that this release dropped. */
  readonly checks?: readonly { readonly formula: Formula; readonly batch: number }[];
  /** Of a domain whose CREATE was seen. */
  readonly notNull?: boolean;
  /** Its name before this release renamed it: the one that the live release knows. */
  readonly was?: Name;
  readonly batch: number;
}

export interface SequenceFact {
  /** `int2`, `int4` or `int8`: where it ends. */
  readonly type: string;
}

/** The schema as the migrations tell it, in their order. What it does not hold is unknown, not absent. */
export class Schema {
  readonly tables = new Map<string, TableFact>();
  readonly indexes = new Indexes();
  readonly types = new Map<string, TypeFact>();
  /** Types that gave up their name, by it, with the batch in which they did. */
  readonly typesGone = new Map<string, { readonly fact: TypeFact; readonly batch: number }>();
  readonly sequences = new Map<string, SequenceFact>();
  /** By name, every overload. */
  readonly functions = new Map<string, FunctionFact[]>();
  /** Where a name without a schema lands: the first of search_path. */
  defaultSchema = 'public';
  batch = 0;

  /** A temporary table hides a permanent one of its name. */
  table(name: Name): TableFact | undefined {
    const temporary = name.schema === this.defaultSchema ? this.tables.get(`pg_temp.${name.name}`) : undefined;
    return temporary ?? this.tables.get(nameLabel(name));
  }

  /** The fact of a table that is altered without its CREATE having been seen. */
  tableOrStub(name: Name): TableFact {
    const known = this.table(name);
    if (known) return known;
    const stub: TableFact = {
      name,
      kind: 'table',
      batch: -1,
      complete: false,
      temporary: false,
      columns: new Map(),
      constraints: new Map(),
      constraintsGone: [],
    };
    this.tables.set(nameLabel(name), stub);
    return stub;
  }

  /** Made in the batch at hand, so that nobody else reads or writes it yet. */
  isNew(name: Name): boolean {
    if (name.schema === 'pg_temp') return true;
    const fact = this.table(name);
    return fact?.temporary === true || fact?.batch === this.batch || this.indexes.get(name)?.batch === this.batch;
  }

  isNewColumn(table: Name, column: string): boolean {
    return this.table(table)?.columns.get(column)?.batch === this.batch;
  }

  /** The constraints that the live release knows of a table: those from before the release, dropped in it or not. */
  formerConstraints(table: Name): readonly ConstraintFact[] {
    const fact = this.table(table);
    const gone = (fact?.constraintsGone ?? []).filter((one) => one.batch === this.batch).map((one) => one.fact);
    return [...(fact?.constraints.values() ?? []), ...gone].filter((one) => one.batch !== this.batch);
  }

  /** The columns that the live release knows to be unique together, in all rows or in those that meet a condition. */
  formerKeys(table: Name): readonly UniqueKey[] {
    const constraints = this.formerConstraints(table).filter(({ kind }) => kind === 'unique' || kind === 'primary');
    const indexes = [...this.indexes.of(table), ...this.indexes.gone(table, this.batch)].filter(
      (one) => one.unique && one.batch !== this.batch,
    );
    return [...constraints.map(({ columns }) => columnsKey(columns)), ...indexes.map(({ key }) => key)];
  }

  column(table: Name, column: string): ColumnFact | undefined {
    return this.table(table)?.columns.get(column);
  }

  /** A validated check or constraint says that the column holds no null. */
  provenNotNull(table: Name, column: string): boolean {
    const fact = this.table(table);
    if (fact?.columns.get(column)?.notNull) return true;
    return [...(fact?.constraints.values() ?? [])].some((one) => one.valid && one.provesNotNull.includes(column));
  }
}
