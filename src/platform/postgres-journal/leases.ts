import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { leaseHeld } from '../../model/failures.ts';
import type { Lease, LeaseStore } from '../port/leases.ts';
import { processIsGone, thisProcess } from '../../machine/process.ts';
import type { JournalDatabase } from './database.ts';

/** Milliseconds without renewal after which a lease may be taken over, by the clock of the journal's server alone. */
const ttl = 10_000;

interface Held {
  readonly token: number;
  readonly holder: string;
  readonly since: string;
  readonly renewed: string;
  readonly process: string | null;
  readonly late: boolean;
}

/**
 * One operator at a time, by a row. A holder that ran on this very machine and is no more is not waited out; one of
 * another machine, as a job of CI that was killed, is waited out for 10 s: one that renews lives.
 */
export class PostgresLeases implements LeaseStore {
  readonly #database: JournalDatabase;
  readonly #environment: string;
  /**
   * The token under which the journal was last written: where the row was deleted by hand, counting goes on from there.
   */
  readonly #floor: () => Promise<number>;

  constructor(database: JournalDatabase, environment: string, floor: () => Promise<number>) {
    this.#database = database;
    this.#environment = environment;
    this.#floor = floor;
  }

  async acquire(holder: string, gone?: number, above = 0): Promise<Lease> {
    const attempt = randomUUID();
    let seen: string | undefined;
    for (;;) {
      const held = await this.#held();
      const over = held === undefined || held.late || held.token === gone || (await processIsGone(held.process ?? ''));
      const token = over ? await this.#take(held?.token ?? 0, holder, above, attempt) : undefined;
      if (token !== undefined) return this.#lease(token);
      if (held && !over) {
        seen ??= `${held.token} ${held.renewed}`;
        if (`${held.token} ${held.renewed}` !== seen) throw leaseHeld(held.holder, held.since);
      }
      await sleep(250);
    }
  }

  async holder(): Promise<{ holder: string; since: string } | undefined> {
    const held = await this.#held();
    if (!held || held.late || (await processIsGone(held.process ?? ''))) return undefined;
    return { holder: held.holder, since: held.since };
  }

  async #held(): Promise<Held | undefined> {
    const [found] = await this.#database.rows<Held>(
      `SELECT token::float8, holder, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since, renewed::text, process,
        renewed < clock_timestamp() - make_interval(secs => ${ttl / 1000}) AS late
      FROM verdigris_journal.lease WHERE environment = $1 AND NOT released`,
      [this.#environment],
    );
    return found;
  }

  /** Undefined where somebody else was faster: the row is not what was looked at any more. */
  async #take(before: number, holder: string, above: number, attempt: string): Promise<number | undefined> {
    const [taken] = await this.#database.rows<{ token: number }>(
      `INSERT INTO verdigris_journal.lease AS l (environment, token, holder, since, renewed, released, process, attempt)
      VALUES ($1, $2::bigint + 1, $3, clock_timestamp(), clock_timestamp(), false, $4, $5)
      ON CONFLICT (environment) DO UPDATE SET token = greatest(l.token, $2::bigint) + 1, holder = excluded.holder, since = excluded.since,
        renewed = excluded.renewed, released = false, process = excluded.process, attempt = excluded.attempt
        WHERE l.released OR l.token = $6 OR l.attempt = excluded.attempt
      RETURNING token::float8`,
      [this.#environment, Math.max(await this.#floor(), above), holder, (await thisProcess()) ?? null, attempt, before],
    );
    return taken?.token;
  }

  #lease(token: number): Lease {
    const change = async (what: string): Promise<boolean> =>
      (
        await this.#database.rows(
          `UPDATE verdigris_journal.lease SET ${what} WHERE environment = $1 AND token = $2 AND NOT released RETURNING token`,
          [this.#environment, token],
        )
      ).length > 0;
    return {
      token,
      lasts: ttl,
      renew: () => change('renewed = clock_timestamp()'),
      release: async () => void (await change('released = true')),
    };
  }
}
