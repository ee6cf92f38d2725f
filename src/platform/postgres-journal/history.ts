import type { HistoryEntry, HistoryStore } from '../port/history.ts';
import type { JournalDatabase } from './database.ts';

/** Finished releases, a row each, named by when the release began: the same one again is not written again. */
export class PostgresHistory implements HistoryStore {
  readonly #database: JournalDatabase;
  readonly #environment: string;

  constructor(database: JournalDatabase, environment: string) {
    this.#database = database;
    this.#environment = environment;
  }

  async append(entry: HistoryEntry): Promise<void> {
    await this.#database.rows('INSERT INTO verdigris_journal.history VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
      this.#environment,
      entry.startedAt,
      JSON.stringify(entry),
    ]);
  }

  async list(): Promise<HistoryEntry[]> {
    const found = await this.#database.rows<{ entry: string }>(
      'SELECT entry FROM verdigris_journal.history WHERE environment = $1 ORDER BY started_at COLLATE "C"',
      [this.#environment],
    );
    return found.map(({ entry }) => JSON.parse(entry) as HistoryEntry);
  }
}
