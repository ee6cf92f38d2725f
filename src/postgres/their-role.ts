import { rows, type Client } from './client.ts';
import { literal } from './quote.ts';

/**
 * As whom SQL of the user's runs in a session of the operator's: as `owner`, or as the role that the last statement
 * set, where the owner may set it. Verdigris's own statements in between run as the operator. Without an owner nothing
 * is changed.
 */
export class TheirRole {
  readonly owner: string | undefined;
  readonly #client: Client;
  #role: string | undefined;

  constructor(client: Client, owner: string | undefined) {
    this.#client = client;
    this.owner = owner;
    this.#role = owner;
  }

  /** What the next statement runs as, where that is not the session's own. */
  get name(): string | undefined {
    return this.#role;
  }

  async run<T>(use: () => Promise<T>): Promise<T> {
    const { owner } = this;
    if (owner === undefined || this.#role === undefined) return use();
    await this.#client.query(`SET role = ${literal(this.#role)}`);
    let result: T;
    try {
      result = await use();
    } catch (error) {
      // In a transaction that failed the rollback takes it back.
      await this.#client.query("SET role = 'none'").catch(() => undefined);
      throw error;
    }
    const [{ role = 'none' } = {}] = await rows<{ role?: string }>(this.#client, 'SHOW role');
    await this.#client.query("SET role = 'none'");
    this.#role = await this.#allowed(owner, role);
    return result;
  }

  /**
   * Runs what was deferred to the commit: up to PostgreSQL 17 a deferred trigger runs as whoever commits, which is the
   * operator, and a table's owner chooses its function. Before the commit of every transaction that ran theirs.
   */
  async settle(): Promise<void> {
    await this.run(() => this.#client.query('SET CONSTRAINTS ALL IMMEDIATE'));
  }

  /** The session could become anybody; the owner's own login could not. RESET ROLE leads to the owner, as there. */
  async #allowed(owner: string, role: string): Promise<string> {
    if (role === 'none' || role === owner || role === this.#role) return role === 'none' ? owner : role;
    const [{ may = false } = {}] = await rows<{ may?: boolean }>(
      this.#client,
      "SELECT pg_catalog.pg_has_role($1, $2, 'MEMBER') AS may",
      [owner, role],
    );
    if (may) return role;
    // As the server says it to a login.
    throw Object.assign(new Error(`permission denied to set role "${role}"`), { code: '42501' });
  }
}
