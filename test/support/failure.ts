import type { Client } from '../../src/postgres/client.ts';

/** What tests read of a failure: a VerdigrisError's parts, or PostgreSQL's SQLSTATE as `code`. */
export type Failure = Error & {
  readonly code?: string;
  readonly id?: string;
  readonly seen?: string;
  readonly next?: string;
  readonly facts?: Record<string, unknown>;
};

/** The failure of work that must fail. */
export async function failure(work: Promise<unknown>): Promise<Failure> {
  return work.then(
    () => {
      throw new Error('this should have failed');
    },
    (error: unknown) => error as Failure,
  );
}

/** SQLSTATE that a statement fails with; `succeeded` where it does not. */
export async function sqlState(client: Client, statement: string): Promise<string> {
  return client.query(statement).then(
    () => 'succeeded',
    (error: unknown) => (error as Failure).code ?? String(error),
  );
}
