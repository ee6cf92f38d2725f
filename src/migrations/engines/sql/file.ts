import type { VerdigrisError } from '../../../model/errors.ts';
import type { SqlSource } from './layout.ts';
import type { SqlStatement } from './parse.ts';

/** A migration that was read. */
export interface SqlFile extends SqlSource {
  readonly bytes: Uint8Array;
  /** sha256 of the file's bytes. */
  readonly checksum: string;
  readonly statements: readonly SqlStatement[];
  /**
   * False where a statement must run outside a transaction, a note asks for it, or the file has transactions of its own:
   * then each of these runs on its own, and each statement outside of them.
   */
  readonly transactional: boolean;
  /** A note asks for the rights of a superuser. */
  readonly superuser: boolean;
  /** Why it cannot run: then nothing else is known of what it holds. */
  readonly fault?: VerdigrisError;
}

/** Statements by the transaction that they share, each of those that share none alone. */
export function transactionsOf<T extends Pick<SqlStatement, 'transaction'>>({
  statements,
  transactional,
}: {
  readonly statements: readonly T[];
  readonly transactional: boolean;
}): readonly (readonly T[])[] {
  if (transactional) return [statements];
  const units: T[][] = [];
  for (const statement of statements) {
    const last = units.at(-1);
    const shared = statement.transaction !== undefined && last?.[0]?.transaction === statement.transaction;
    if (shared) last?.push(statement);
    else units.push([statement]);
  }
  return units;
}
