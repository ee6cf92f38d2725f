import { errorCatalogue, isErrorId, type ErrorCode, type ErrorId } from './error-catalogue.ts';
import { pointer } from './pointer.ts';

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
 * A failure of the catalogue: the id decides the kind and so the exit code. Another process's comes back by `fromJSON`.
 */
export class VerdigrisError extends Error {
  override readonly name = 'VerdigrisError';
  readonly code: ErrorCode;
  readonly id: ErrorId;
  readonly seen: string;
  readonly required: string;
  readonly next: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(id: ErrorId, { seen, required, next, facts = {}, cause }: ErrorFacts) {
    super(`${seen} Required: ${required} Next: ${next} (${pointer(id)})`, cause === undefined ? undefined : { cause });
    this.code = errorCatalogue[id];
    this.id = id;
    this.seen = seen;
    this.required = required;
    this.next = next;
    this.facts = facts;
  }

  /**
   * What another process, perhaps of another version, wrote by `toJSON`: an id that is unknown here becomes
   * `unexpected`.
   */
  static fromJSON(json: Readonly<Record<string, unknown>>): VerdigrisError {
    const { id, seen, required, next, facts, cause } = json;
    const words = {
      seen: String(seen),
      // oxlint-disable-next-line typescript/no-base-to-string -- toJSON writes text here
      required: String(required ?? 'no failure.'),
      // oxlint-disable-next-line typescript/no-base-to-string -- toJSON writes text here
      next: String(next ?? 'run `verdigris status`.'),
      cause,
    };
    return isErrorId(id)
      ? new VerdigrisError(id, { ...words, facts: { ...(facts as object | undefined) } })
      : new VerdigrisError('unexpected', { ...words, facts: { ...(facts as object | undefined), id } });
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

/** One line for any thrown value, with its chain of causes; one that the text before it tells already is left out. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof VerdigrisError ? error.seen : error.message || error.name;
  const members = error instanceof AggregateError ? `: ${error.errors.map(describe).join('; ')}` : '';
  const text = `${own}${members}`;
  const cause = error.cause === undefined ? '' : describe(error.cause);
  return text.includes(cause) ? text : `${text} (${cause})`;
}
