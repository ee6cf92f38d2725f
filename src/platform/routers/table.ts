import { staleToken } from '../../model/failures.ts';
import { beatSchema, routeSchema, type Beat, type WrittenRoute, type RouteOrder } from '../../router/follow/route.ts';
import type { JournalDatabase } from '../postgres-journal/database.ts';
import type { RouteStore, SeenBeat } from './store.ts';

const shown = 'token::float8, seq::float8, said';

/** In two tables beside the journal's. */
export class TableRoutes implements RouteStore {
  readonly #database: JournalDatabase;
  readonly #environment: string;

  constructor(database: JournalDatabase, environment: string) {
    this.#database = database;
    this.#environment = environment;
  }

  async read() {
    const [found] = await this.#rows<{ ask: string | null }>(
      `SELECT ${shown}, ask FROM verdigris_journal.route WHERE environment = $1`,
    );
    if (!found) return undefined;
    const { ask, ...route } = found;
    return { route: routeSchema.parse(route), ask: ask ?? undefined };
  }

  async write(token: number, change: Partial<RouteOrder>): Promise<WrittenRoute> {
    const [written] = await this.#rows(
      `UPDATE verdigris_journal.route SET token = $2, seq = seq + 1, said = said || $3::jsonb
      WHERE environment = $1 AND token <= $2 RETURNING ${shown}`,
      token,
      JSON.stringify(change),
    );
    if (written) return routeSchema.parse(written);
    const newest = (await this.read())?.route.token;
    throw staleToken(`the route in ${this.#database.where}`, token, newest);
  }

  async first(said: RouteOrder): Promise<void> {
    await this.#rows(
      'INSERT INTO verdigris_journal.route (environment, token, seq, said) VALUES ($1, 0, 1, $2) ON CONFLICT DO NOTHING',
      JSON.stringify(said),
    );
  }

  async ask(id: string): Promise<void> {
    await this.#rows('UPDATE verdigris_journal.route SET ask = $2 WHERE environment = $1', id);
  }

  async beat({ id, beat, ...said }: Beat): Promise<void> {
    await this.#rows(
      `INSERT INTO verdigris_journal.router AS r (environment, id, beat, seen, said) VALUES ($1, $2, $3, clock_timestamp(), $4)
      ON CONFLICT (environment, id) DO UPDATE SET beat = excluded.beat, seen = excluded.seen, said = excluded.said`,
      id,
      beat,
      JSON.stringify(said),
    );
  }

  async beats(): Promise<SeenBeat[]> {
    const found = await this.#rows<{ id: string; beat: string; said: object; age: number }>(
      `SELECT id, beat, said, greatest(0, extract(epoch FROM clock_timestamp() - seen) * 1000)::float8 AS age
      FROM verdigris_journal.router WHERE environment = $1`,
    );
    return found.map(({ id, beat, said, age }) => ({ ...beatSchema.parse({ ...said, id, beat }), ageMs: age }));
  }

  async drop(id: string, beat: string): Promise<void> {
    await this.#rows('DELETE FROM verdigris_journal.router WHERE environment = $1 AND id = $2 AND beat = $3', id, beat);
  }

  async leave(id: string): Promise<void> {
    await this.#rows('DELETE FROM verdigris_journal.router WHERE environment = $1 AND id = $2', id);
  }

  async forget(): Promise<void> {
    await this.#rows(
      `WITH gone AS (DELETE FROM verdigris_journal.router WHERE environment = $1)
      DELETE FROM verdigris_journal.route WHERE environment = $1`,
    );
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #rows<T = unknown>(sql: string, ...values: readonly unknown[]): Promise<T[]> {
    return this.#database.rows<T>(sql, [this.#environment, ...values]);
  }
}
