import { rows, withFixedPath, type Client } from './client.ts';
import { ident } from './quote.ts';

/**
 * Every populated materialized view with how many others must be refreshed before it: those that it reads, through
 * whatever views lie between. OIDs say nothing of that: CREATE OR REPLACE VIEW lets an older one read a younger.
 */
const inOrder = `
  WITH RECURSIVE reads AS (
    SELECT DISTINCT r.ev_class AS reader, d.refobjid AS read FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm')),
  chain(oid, read) AS (
    SELECT reader, read FROM reads
    UNION
    SELECT chain.oid, reads.read FROM chain JOIN reads ON reads.reader = chain.read)
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'm' AND c.relispopulated
  ORDER BY (SELECT count(*) FROM chain JOIN pg_class m ON m.oid = chain.read AND m.relkind = 'm' WHERE chain.oid = c.oid), c.oid`;

export interface MaterializedView {
  readonly schema: string;
  readonly name: string;
}

/** All that hold rows, each after those that it reads. A function that one calls may read another: that is not seen. */
export function populatedViews(client: Client): Promise<MaterializedView[]> {
  return withFixedPath(client, () => rows<MaterializedView>(client, inOrder));
}

/** Refreshes those of `views`, or all that hold rows here. Returns how many. */
export async function refreshMaterializedViews(client: Client, views?: readonly MaterializedView[]): Promise<number> {
  const all = views ?? (await populatedViews(client));
  for (const { schema, name } of all) await client.query(`REFRESH MATERIALIZED VIEW ${ident(schema, name)}`);
  return all.length;
}
