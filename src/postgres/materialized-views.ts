import { rows, withFixedPath, type Client } from './client.ts';
import { ident } from './quote.ts';

/** What the text of `function`, where it is one, has a word for. */
const mentioned = (one: string): string => `
  SELECT n.class, n.oid FROM pg_proc p JOIN named n ON n.oid <> p.oid AND strpos(lower(p.prosrc), lower(n.name)) > 0
    AND p.prosrc ~* ('\\m' || regexp_replace(n.name, '(\\W)', '\\\\\\1', 'g') || '\\M')
  WHERE ${one}.class = 'pg_proc'::regclass AND p.oid = ${one}.oid`;

/**
 * Every populated materialized view with how many others must be refreshed before it: those that it reads, through
 * whatever views and functions lie between. OIDs say nothing of that: CREATE OR REPLACE VIEW lets an older one read a
 * younger. What a function reads is known by the names in its text, which may be others' too: where that leads round in
 * a circle, what views read by themselves decides.
 */
const inOrder = `
  WITH RECURSIVE named AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid AS class, c.oid, c.relname AS name FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384
    UNION ALL SELECT 'pg_proc'::regclass, p.oid, p.proname FROM pg_proc p WHERE p.oid >= 16384),
  reads AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid AS class, r.ev_class AS oid, d.refclassid AS to_class, d.refobjid AS to_oid FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refobjid <> r.ev_class
    JOIN named n ON n.class = d.refclassid AND n.oid = d.refobjid
    UNION SELECT d.classid, d.objid, d.refclassid, d.refobjid FROM pg_depend d
    JOIN named n ON n.class = d.refclassid AND n.oid = d.refobjid WHERE d.classid = 'pg_proc'::regclass),
  reached AS (
    SELECT 'pg_class'::regclass::oid AS class, c.oid FROM pg_class c WHERE c.relkind = 'm' AND c.relispopulated
    UNION
    SELECT next.class, next.oid FROM reached CROSS JOIN LATERAL (
      SELECT r.to_class AS class, r.to_oid AS oid FROM reads r WHERE r.class = reached.class AND r.oid = reached.oid
      UNION ALL SELECT * FROM (${mentioned('reached')}) m) AS next),
  edges AS MATERIALIZED (
    SELECT *, true AS itself FROM reads
    UNION SELECT reached.class, reached.oid, m.class, m.oid, false FROM reached CROSS JOIN LATERAL (${mentioned('reached')}) m),
  chain AS (
    SELECT c.oid AS view, 'pg_class'::regclass::oid AS class, c.oid, true AS itself FROM pg_class c
      WHERE c.relkind = 'm' AND c.relispopulated
    UNION
    SELECT chain.view, e.to_class, e.to_oid, chain.itself AND e.itself
    FROM chain JOIN edges e ON e.class = chain.class AND e.oid = chain.oid),
  before AS (
    SELECT chain.view, count(DISTINCT m.oid) AS all_of_them, count(DISTINCT m.oid) FILTER (WHERE chain.itself) AS by_itself
    FROM chain JOIN pg_class m ON chain.class = 'pg_class'::regclass AND m.oid = chain.oid AND m.relkind = 'm' GROUP BY chain.view)
  SELECT n.nspname AS schema, c.relname AS name
  FROM before b JOIN pg_class c ON c.oid = b.view JOIN pg_namespace n ON n.oid = c.relnamespace
  ORDER BY b.all_of_them, b.by_itself, c.oid`;

export interface MaterializedView {
  readonly schema: string;
  readonly name: string;
}

/** All that hold rows, each after those that it reads. */
export function populatedViews(client: Client): Promise<MaterializedView[]> {
  return withFixedPath(client, () => rows<MaterializedView>(client, inOrder));
}

/** Refreshes those of `views`, or all that hold rows here. Returns how many. */
export async function refreshMaterializedViews(client: Client, views?: readonly MaterializedView[]): Promise<number> {
  const all = views ?? (await populatedViews(client));
  for (const { schema, name } of all) await client.query(`REFRESH MATERIALIZED VIEW ${ident(schema, name)}`);
  return all.length;
}
