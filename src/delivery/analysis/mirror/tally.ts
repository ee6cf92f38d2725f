import type { MirroredStatement, MirrorReport } from './report.ts';
import type { MirroredRun } from './run.ts';

/** Kinds of statements that are kept apart, and executions that are kept of each. */
const most = { kinds: 200, executions: 2_000 };

/** What is known of one kind of statement. */
class Kind {
  same = 0;
  differs = 0;
  undecided = 0;
  readonly #statement: string;
  readonly #compare: 'rows' | 'times';
  readonly #live: number[] = [];
  readonly #candidate: number[] = [];
  readonly #errors = { live: 0, candidate: 0 };
  #seen: string | undefined;
  #error: string | undefined;

  constructor(statement: string, compare: 'rows' | 'times') {
    this.#statement = statement;
    this.#compare = compare;
  }

  took(live: number, candidate: number): void {
    if (this.#live.length >= most.executions) return;
    this.#live.push(live);
    this.#candidate.push(candidate);
  }

  differ(seen: string): void {
    this.differs++;
    this.#seen ??= seen;
  }

  /** What both refuse says nothing of the release. */
  failed(live: MirroredRun, candidate: MirroredRun): void {
    if (live.kind === 'error' && candidate.kind === 'error') return;
    if (live.kind === 'error') this.#errors.live++;
    if (candidate.kind !== 'error') return;
    this.#errors.candidate++;
    this.#error = candidate.why;
  }

  get report(): MirroredStatement {
    const { same, differs, undecided } = this;
    const { live, candidate } = this.#errors;
    return {
      statement: this.#statement,
      compare: this.#compare,
      times: same + differs + undecided + live + candidate,
      same,
      differs,
      undecided,
      errors: { live, candidate },
      seen: this.#seen ?? this.#error,
      sample: {
        statement: this.#statement,
        live: this.#live,
        candidate: this.#candidate,
        errors: { live, candidate },
        error: this.#error,
      },
    };
  }
}

/** What was mirrored so far, of limited size. */
export class MirrorTally {
  looked = 0;
  readonly #kinds = new Map<string, Kind>();
  readonly #left = new Map<string, number>();

  /** Undefined where there are too many kinds already. */
  of(id: string, statement: () => string, compare: 'rows' | 'times'): Kind | undefined {
    const known = this.#kinds.get(id);
    if (known || this.#kinds.size >= most.kinds) return known;
    const kind = new Kind(statement(), compare);
    this.#kinds.set(id, kind);
    return kind;
  }

  leave(why: string): void {
    this.#left.set(why, (this.#left.get(why) ?? 0) + 1);
  }

  report(seconds: number): MirrorReport {
    const statements = [...this.#kinds.values()].map(({ report }) => report).filter(({ times }) => times > 0);
    return {
      seconds,
      looked: this.looked,
      compared: statements.reduce((sum, { times }) => sum + times, 0),
      left: Object.fromEntries(this.#left),
      statements: statements.toSorted((a, b) => b.times - a.times),
    };
  }
}
