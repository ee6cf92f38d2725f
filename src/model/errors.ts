/** What every failure of Verdigris carries, so that a person and a pipeline can both act on it. */
export interface ErrorFacts {
  /** What was found. */
  readonly seen: string;
  /** What would have been right. */
  readonly required: string;
  /** What the reader does next. */
  readonly next: string;
  /** Machine-readable details: names, numbers, LSNs as text. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * `usage` the caller's words are off; `declaration` the environment file is; `refused` a gate or preflight said no;
 * `busy` somebody else holds the lease; `loss` a rollback would lose rows and consent is missing; `failed` a step failed and was
 * undone or can be continued; `interrupted` a signal stopped it.
 */
export type ErrorCode = 'usage' | 'declaration' | 'refused' | 'busy' | 'loss' | 'failed' | 'interrupted';

/** Exit codes of the command line, one per kind of failure; 0 is success. Documented in docs/reference.md. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  failed: 1,
  usage: 2,
  declaration: 3,
  refused: 4,
  busy: 5,
  loss: 6,
  interrupted: 130,
};

export class VerdigrisError extends Error {
  override readonly name = 'VerdigrisError';
  readonly code: ErrorCode;
  /** Stable, kebab-case, specific: `slot-lost`, `journal-newer`. Tests and pipelines match on it. */
  readonly id: string;
  readonly seen: string;
  readonly required: string;
  readonly next: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, id: string, { seen, required, next, facts = {}, cause }: ErrorFacts) {
    super(`${seen} Required: ${required} Next: ${next}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.id = id;
    this.seen = seen;
    this.required = required;
    this.next = next;
    this.facts = facts;
  }

  toJSON(): Record<string, unknown> {
    const { code, id, seen, required, next, facts } = this;
    return {
      code,
      id,
      seen,
      required,
      next,
      facts,
      ...(this.cause === undefined ? {} : { cause: describe(this.cause) }),
    };
  }
}

/** One line for any thrown value, with its chain of causes. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof VerdigrisError ? error.seen : error.message || error.name;
  const members = error instanceof AggregateError ? `: ${error.errors.map(describe).join('; ')}` : '';
  return `${own}${members}${error.cause === undefined ? '' : ` (${describe(error.cause)})`}`;
}
