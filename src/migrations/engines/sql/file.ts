import type { SqlSource } from './layout.ts';
import type { SqlStatement } from './parse.ts';

/** A migration that was read. */
export interface SqlFile extends SqlSource {
  readonly bytes: Uint8Array;
  /** sha256 of the file's bytes. */
  readonly checksum: string;
  readonly statements: readonly SqlStatement[];
  /** False where a statement must run outside a transaction, or a note asks for it; then each runs on its own. */
  readonly transactional: boolean;
  /** A note asks for the rights of a superuser. */
  readonly superuser: boolean;
}
