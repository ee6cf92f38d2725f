import type { DrillOutcome, DrillStore } from '../port/drills.ts';
import type { JournalDatabase } from './database.ts';

/** Reports, a row each. Nobody watches the server: alerts come from the exporter. */
export class PostgresDrills implements DrillStore {
  readonly #database: JournalDatabase;
  readonly #environment: string;

  constructor(database: JournalDatabase, environment: string) {
    this.#database = database;
    this.#environment = environment;
  }

  async record(outcome: DrillOutcome): Promise<{ where: string }> {
    await this.#database.rows(
      `INSERT INTO verdigris_journal.drill VALUES ($1, $2, $3)
      ON CONFLICT (environment, started_at) DO UPDATE SET outcome = excluded.outcome`,
      [this.#environment, outcome.startedAt, JSON.stringify(outcome)],
    );
    return { where: `the drill of ${outcome.startedAt} in ${this.#database.where}` };
  }

  async list(): Promise<DrillOutcome[]> {
    const found = await this.#database.rows<{ outcome: string }>(
      'SELECT outcome FROM verdigris_journal.drill WHERE environment = $1 ORDER BY started_at COLLATE "C"',
      [this.#environment],
    );
    return found.map(({ outcome }) => JSON.parse(outcome) as DrillOutcome);
  }
}
