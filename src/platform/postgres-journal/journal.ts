import { randomUUID } from 'node:crypto';
import { journalConflict } from '../../model/failures.ts';
import type { JournalStore } from '../port/journal.ts';
import type { JournalDatabase } from './database.ts';

/** Revisions that stay, so that a damaged one has a neighbour to compare with. */
const kept = 8;

const keep = `, kept AS (INSERT INTO verdigris_journal.earlier SELECT environment, revision, text FROM written ON CONFLICT DO NOTHING),
  gone AS (DELETE FROM verdigris_journal.earlier WHERE environment = $1 AND revision <= $2::bigint + 1 - ${kept})
  SELECT revision::float8 FROM written`;

/** `attempt` tells a statement that is said again, because its answer was lost, from somebody else's. */
const first = `WITH written AS (
    INSERT INTO verdigris_journal.journal AS j (environment, revision, text, attempt) VALUES ($1, $2::bigint + 1, $3, $4)
    ON CONFLICT (environment) DO UPDATE SET attempt = excluded.attempt WHERE j.attempt = excluded.attempt
    RETURNING environment, revision, text)${keep}`;
const next = `WITH written AS (
    UPDATE verdigris_journal.journal SET revision = $2::bigint + 1, text = $3, attempt = $4
    WHERE environment = $1 AND (revision = $2::bigint OR revision = $2::bigint + 1 AND attempt = $4)
    RETURNING environment, revision, text)${keep}`;

/** The journal as one row, swapped by one statement. */
export class PostgresJournal implements JournalStore {
  readonly #database: JournalDatabase;
  readonly #environment: string;

  constructor(database: JournalDatabase, environment: string) {
    this.#database = database;
    this.#environment = environment;
  }

  async read(): Promise<{ revision: number; text: string; where: string } | undefined> {
    const [found] = await this.#database.rows<{ revision: number; text: string }>(
      'SELECT revision::float8, text FROM verdigris_journal.journal WHERE environment = $1',
      [this.#environment],
    );
    return found && { ...found, where: `${this.#environment} in ${this.#database.where}` };
  }

  async write(expected: number, text: string): Promise<number> {
    const [written] = await this.#database.rows<{ revision: number }>(expected === 0 ? first : next, [
      this.#environment,
      expected,
      text,
      randomUUID(),
    ]);
    if (written) return written.revision;
    throw journalConflict(expected + 1);
  }
}
