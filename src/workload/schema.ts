import { VerdigrisError } from '../model/errors.ts';
import { rows, withTransaction, type Client } from '../postgres/client.ts';
import { ident } from '../postgres/quote.ts';

/** Says that the schema is ours to drop: a user's database may have a schema of this name. */
const mark = 'Synthetic workload of Verdigris';

export interface PrepareOptions {
  /** Existing roles: one that writes and one that only reads. They may be the same. */
  readonly roles: { readonly writer: string; readonly reader: string };
  /** How many writers will run: there are as many accounts. */
  readonly writers: number;
}

/**
 * Makes the schema `workload` with its two tables and grants; safe to run twice, and keeps the rows of earlier runs.
 * `entry` has deliberately no unique constraint on (run, writer, sequence): a row applied twice must be seen, not
 * refused.
 * `account` is updated by each transaction as well, so that an update lost or applied twice is seen in the balances.
 */
export async function prepareWorkload(client: Client, { roles, writers }: PrepareOptions): Promise<void> {
  if ((await ownership(client)) === 'foreign') {
    throw new VerdigrisError('workload-schema-taken', {
      seen: 'The database has a schema named workload that Verdigris did not make.',
      required: 'that name free, or a schema made by an earlier workload.',
      next: 'rename that schema, or run the workload on another database.',
    });
  }
  const writer = ident(roles.writer);
  const reader = ident(roles.reader);
  await withTransaction(client, async () => {
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS workload;
      COMMENT ON SCHEMA workload IS '${mark}';
      CREATE TABLE IF NOT EXISTS workload.entry (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        run text NOT NULL,
        writer int NOT NULL,
        sequence bigint NOT NULL,
        account int NOT NULL,
        amount int NOT NULL,
        colour text NOT NULL,
        kind text NOT NULL,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp());
      CREATE INDEX IF NOT EXISTS entry_writer_sequence ON workload.entry (run, writer, sequence);
      CREATE TABLE IF NOT EXISTS workload.account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
      GRANT USAGE ON SCHEMA workload TO ${writer}, ${reader};
      GRANT SELECT ON ALL TABLES IN SCHEMA workload TO ${writer}, ${reader};
      GRANT INSERT ON workload.entry TO ${writer};
      GRANT UPDATE ON workload.account TO ${writer}`);
    await client.query('INSERT INTO workload.account (id) SELECT generate_series(1, $1::int) ON CONFLICT DO NOTHING', [
      writers,
    ]);
  });
}

/** Removes what `prepareWorkload` made; a schema of that name that is not ours stays. */
export async function dropWorkload(client: Client): Promise<void> {
  if ((await ownership(client)) === 'ours') await client.query('DROP SCHEMA workload CASCADE');
}

/** Anybody may write the mark: what he made would run as who prepares, so that the owner counts too. */
async function ownership(client: Client): Promise<'none' | 'ours' | 'foreign'> {
  const [found] = await rows<{ ours: boolean }>(
    client,
    `SELECT coalesce(obj_description(n.oid, 'pg_namespace') = $1, false) AND NOT EXISTS (
        SELECT FROM pg_roles r WHERE NOT r.rolsuper AND r.rolname <> current_user
          AND (r.oid = n.nspowner OR r.oid IN (SELECT c.relowner FROM pg_class c WHERE c.relnamespace = n.oid))) AS ours
    FROM pg_namespace n WHERE n.nspname = 'workload'`,
    [mark],
  );
  if (!found) return 'none';
  return found.ours ? 'ours' : 'foreign';
}
