import { setTimeout as sleep } from 'node:timers/promises';
import { VerdigrisError, describe } from '../../model/errors.ts';
import { rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { isFull } from '../../postgres/refused.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { ensureTables, journalTables, type TableSet } from './tables.ts';

/** Milliseconds that a server which went away has to come back: less than a lease lasts, which is renewed over it. */
const patience = 4_000;
const pause = 100;

/** One session that is kept: the journal is written while clients wait. Every statement over it may be said again. */
export class JournalDatabase {
  readonly settings: ConnectionSettings;
  readonly #tables: TableSet;
  #session: Promise<Session> | undefined;
  /** One statement after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: ConnectionSettings, tables = journalTables) {
    this.settings = settings;
    this.#tables = tables;
  }

  /** For people. */
  get where(): string {
    const { host, port, database } = this.settings;
    return `verdigris_journal in ${database} at ${host}:${port}`;
  }

  /**
   * Runs one statement, which must be safe to repeat: where the connection is lost nobody knows whether it was carried
   * out.
   * @throws VerdigrisError `journal-unreachable` after 4 s.
   */
  rows<T>(sql: string, values: readonly unknown[]): Promise<T[]> {
    const mine = this.#last.then(() => this.#run<T>(sql, values));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #run<T>(sql: string, values: readonly unknown[]): Promise<T[]> {
    for (const end = performance.now() + patience; ; await sleep(pause)) {
      try {
        this.#session ??= open(this.settings, this.#tables);
        const { client } = await this.#session;
        return await answered(rows<T>(client, sql, values), Math.max(pause, end - performance.now()));
      } catch (cause) {
        if (!passes(cause)) throw cause;
        await this.close();
        if (performance.now() > end) throw unreachable(this.where, cause);
      }
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.then(
      ({ end }) => end(),
      () => undefined,
    );
  }
}

/** A network that swallows packets says nothing for longer than a lease lasts. */
async function answered<T>(answer: Promise<T>, limit: number): Promise<T> {
  const silence = new AbortController();
  const late = sleep(limit, undefined, { signal: silence.signal }).then(() => {
    throw new Error(`no answer within ${Math.round(limit)} ms`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    silence.abort();
    late.catch(() => undefined);
    answer.catch(() => undefined);
  }
}

interface Session {
  readonly client: Client;
  readonly end: () => Promise<void>;
}

/** A session that lasts until it is ended. */
function open(settings: ConnectionSettings, tables: TableSet): Promise<Session> {
  return new Promise((resolve, reject) => {
    const over = Promise.withResolvers<void>();
    const ended = withOwnSession(settings, 'journal', async (client) => {
      // What was written must outlive this server where a standby of its own takes over.
      await client.query('SET synchronous_commit = on');
      await ensureTables(client, settings, tables);
      resolve({ client, end: () => (over.resolve(), ended) });
      await over.promise;
    });
    ended.catch(reject);
  });
}

/**
 * Whatever did not come from the server: the connection is gone. 57P01 to 57P03: the server stops, or is about to serve
 * again; 55P03: somebody else holds what is waited for. One that is full has a connection free later.
 */
function passes(cause: unknown): boolean {
  if (isFull(cause)) return true;
  if (cause instanceof VerdigrisError) return false;
  const { severity, code = '' } = cause as { severity?: string; code?: string };
  return severity === undefined || /^(57P0[123]|55P03|08...)$/.test(code);
}

function unreachable(where: string, cause: unknown): VerdigrisError {
  return new VerdigrisError('journal-unreachable', {
    seen: `The journal, ${where}, did not answer for ${patience / 1000} s: ${describe(cause)}.`,
    required: 'a reachable journal: without it nobody knows which colour may take writes.',
    next: 'bring its server back, then run the same command again: it continues or undoes, as the journal says.',
    cause,
  });
}
