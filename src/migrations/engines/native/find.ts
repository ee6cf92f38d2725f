import { VerdigrisError } from '../../../model/errors.ts';
import { rows, withFixedPath, type Client } from '../../../postgres/client.ts';
import { ident, literal } from '../../../postgres/quote.ts';
import type { Format } from './format.ts';
import { onTable, type ToolHistory } from './tool-history.ts';

/**
 * Quoted name of the table in which a format's tool has written what has run; undefined before its first run. Where it
 * is, is the tool's own setting: it is found by name and columns. `declared` is `schema.table`.
 * @throws VerdigrisError `history-unclear` where several tables could be it.
 */
export async function findHistory(
  client: Client,
  { name }: Format,
  { schema, table, has, hasNot = [] }: ToolHistory,
  declared?: string,
): Promise<string | undefined> {
  const [inSchema, called] = declared?.split('.') ?? [undefined, table];
  const found = await withFixedPath(client, () =>
    rows<{ schema: string }>(
      client,
      `SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN LATERAL (SELECT array_agg(attname::text) AS names FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS a
      WHERE c.relkind = 'r' AND c.relname = $1 AND coalesce(n.nspname = $2, true) AND a.names @> $3 AND NOT a.names && $4
      ORDER BY n.nspname = $5 DESC, 1`,
      [called, inSchema ?? null, has, hasNot, schema],
    ),
  );
  const [first, second] = found;
  if (first && second && first.schema !== schema) {
    throw new VerdigrisError('history-unclear', {
      seen: `${found.map((each) => `${each.schema}.${table}`).join(' and ')} could both be the history of ${name}.`,
      required: 'one history.',
      next: `declare which: \`engine: { tool: ${name}, history: ${first.schema}.${table} }\`.`,
      facts: { schemas: found.map((each) => each.schema) },
    });
  }
  return first && ident(first.schema, called ?? table);
}

/** Makes the table as the tool does, in a schema that is the database owner's, where he is no superuser. */
export async function makeHistory(client: Client, history: ToolHistory, declared?: string): Promise<string> {
  const [schema = history.schema, name = history.table] = declared?.split('.') ?? [];
  const table = ident(schema, name);
  await client.query(`DO $do$ DECLARE owner name; BEGIN
    IF to_regnamespace(${literal(ident(schema))}) IS NOT NULL THEN RETURN; END IF;
    SELECT rolname INTO owner FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE datname = current_database() AND NOT rolsuper;
    EXECUTE 'CREATE SCHEMA ' || ${literal(ident(schema))} || coalesce(' AUTHORIZATION ' || quote_ident(owner), '');
  END $do$`);
  await client.query(`CREATE TABLE ${table} (${history.columns})`);
  if (history.first) await client.query(onTable(history.first, table));
  return table;
}
