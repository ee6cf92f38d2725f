import { VerdigrisError } from '../model/errors.ts';
import { one } from '../postgres/client.ts';
import { withOwnSession } from '../postgres/session.ts';
import type { MigrationTarget } from './engine.ts';

/**
 * Runs `work` on the target's connection. A statement can run for an hour: a signal does not wait for it, but has the
 * server cancel it. What `work` begins after that is its own to prevent (`throwIfAborted`).
 * @throws VerdigrisError `migration-interrupted`.
 */
export async function interruptible<T>(
  { client, connection, signal }: Pick<MigrationTarget, 'client' | 'connection' | 'signal'>,
  state: string,
  work: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { pid } = await one<{ pid: number }>(client, 'SELECT pg_catalog.pg_backend_pid() AS pid');
  let cancelling: Promise<unknown> = Promise.resolve();
  const cancel = (): void => {
    cancelling = withOwnSession(connection, 'cancel', (other) =>
      other.query('SELECT pg_cancel_backend($1)', [pid]),
    ).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw interrupted('The run of the migrations', `${state} The live colour is untouched.`, cause);
  } finally {
    signal.removeEventListener('abort', cancel);
    // A cancellation that is still on its way would meet the next statement.
    await cancelling;
  }
}

export function interrupted(
  what: string,
  next: string,
  cause: unknown,
  { said = '', facts }: { readonly said?: string; readonly facts?: Readonly<Record<string, unknown>> } = {},
): VerdigrisError {
  return new VerdigrisError('migration-interrupted', {
    seen: `${what} was stopped by a signal.${said}`,
    required: 'migrations that run to their end.',
    next,
    ...(facts ? { facts } : {}),
    cause,
  });
}
