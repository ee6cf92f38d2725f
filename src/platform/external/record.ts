import { z } from 'zod';
import type { OwnPassword } from '../../model/own-passwords.ts';
import { filledDatabases } from '../../postgres/logical-seed/empty-again.ts';
import { databaseShape } from '../../postgres/database-shape.ts';
import { rolesBefore } from '../../postgres/globals/before.ts';

export const externalSchema = z.strictObject({
  generation: z.int(),
  major: z.int(),
  /** Of one that became a candidate: what its roles were. */
  before: rolesBefore.optional(),
  /** Of one that became a candidate: what the environment's databases that were there were like. */
  databases: z.record(z.string(), databaseShape).optional(),
  /** Of one whose seed is being undone: databases that are to be empty again. */
  filled: filledDatabases.optional(),
});

/** What is known of an external server that is a colour now. */
export type ExternalRecord = z.output<typeof externalSchema>;

/**
 * Where the platform that an external server belongs to keeps what it must know of it. Every write is durable when it
 * returns.
 */
export interface ExternalStore {
  read(): Promise<ExternalRecord | undefined>;
  /** Undefined: it is no colour any more. */
  write(record: ExternalRecord | undefined): Promise<void>;
}

/**
 * Passwords of Verdigris's own roles on the servers of one environment that ask for them, kept where no others can
 * read.
 */
export interface OwnPasswords {
  readonly operator: OwnPassword;
  readonly replication: OwnPassword;
}
