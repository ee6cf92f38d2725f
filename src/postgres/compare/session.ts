import { rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession } from '../session.ts';

/** Two connections that work on the same chunk at the same time. */
export interface ComparePair {
  readonly live: Client;
  readonly candidate: Client;
}

/**
 * Beside what every session has: parallel workers would only take cores from the other side, and what was a table when
 * it was listed must not be read as a view, with its owner's code in it.
 */
const settings: Readonly<Record<string, string>> = {
  max_parallel_workers_per_gather: '0',
  work_mem: '64MB',
  random_page_cost: '1.1',
  lock_timeout: '60s',
  idle_in_transaction_session_timeout: '10s',
  restrict_nonsystem_relation_kind: 'view, foreign-table',
};

export interface CompareSessionOptions {
  readonly statementTimeoutMs: number;
  readonly readOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * One session with the common settings. When `signal` fires its backend is terminated, so that no query outlives the
 * caller; a client that merely closed its socket would leave a sequential scan running to its end.
 */
export async function withCompareSession<T>(
  target: ConnectionSettings,
  options: CompareSessionOptions,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  options.signal.throwIfAborted();
  return withOwnSession(target, 'verify', async (client) => {
    const all = {
      ...settings,
      statement_timeout: `${options.statementTimeoutMs}`,
      default_transaction_read_only: options.readOnly ? 'on' : 'off',
    };
    const [backend] = await rows<{ pid: number }>(
      client,
      `SELECT pg_backend_pid() AS pid, ${Object.keys(all)
        .map(
          (name, index) =>
            `CASE WHEN current_setting('${name}', true) IS NOT NULL THEN set_config('${name}', $${index + 1}, false) END`,
        )
        .join(', ')}`,
      Object.values(all),
    );
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping = withOwnSession(target, 'verify', (other) =>
        rows(other, 'SELECT pg_terminate_backend($1)', [backend?.pid]),
      ).then(
        () => undefined,
        () => undefined,
      );
    };
    options.signal.addEventListener('abort', stop, { once: true });
    try {
      options.signal.throwIfAborted();
      return await use(client);
    } finally {
      options.signal.removeEventListener('abort', stop);
      await stopping;
    }
  });
}

/** `count` pairs of read-only sessions. */
export async function withPairs<T>(
  live: ConnectionSettings,
  candidate: ConnectionSettings,
  count: number,
  options: Omit<CompareSessionOptions, 'readOnly'>,
  use: (pairs: readonly ComparePair[]) => Promise<T>,
): Promise<T> {
  const readOnly = { ...options, readOnly: true };
  const next = (pairs: readonly ComparePair[]): Promise<T> =>
    pairs.length === count
      ? use(pairs)
      : withCompareSession(live, readOnly, (left) =>
          withCompareSession(candidate, readOnly, (right) => next([...pairs, { live: left, candidate: right }])),
        );
  return next([]);
}

/** Waits for `work`, but not beyond the signal. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

/** A session that may lock rows on the live side, opened at the first call of what `use` gets and closed with it. */
export async function withLocker<T>(
  live: ConnectionSettings,
  options: Omit<CompareSessionOptions, 'readOnly'>,
  use: (locker: () => Promise<Client>) => Promise<T>,
): Promise<T> {
  const done = Promise.withResolvers<void>();
  let opened: Promise<Client> | undefined;
  let session: Promise<void> = Promise.resolve();
  const open = () => {
    const client = Promise.withResolvers<Client>();
    session = withCompareSession(live, { ...options, readOnly: false }, (made) => {
      client.resolve(made);
      return done.promise;
    }).catch(client.reject);
    return client.promise;
  };
  try {
    return await use(() => (opened ??= open()));
  } finally {
    done.resolve();
    await session;
  }
}
