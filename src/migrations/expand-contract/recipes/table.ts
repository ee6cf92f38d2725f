import { rows, type Client } from '../../../postgres/client.ts';
import { ident } from '../../../postgres/quote.ts';
import { unfitForRecipe } from './column.ts';
import type { Recipe } from './expand.ts';
import { shortName } from './sync.ts';

export interface RecipeTable {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Of the table as a whole, those that a view has too. */
  readonly grants: readonly { readonly grantee: string; readonly privileges: string; readonly grantable: boolean }[];
  /** Columns with privileges of their own. */
  readonly granted: readonly string[];
  /** By row-level security. */
  readonly guarded: boolean;
}

/** @throws VerdigrisError `recipe-column` where there is no such table, or the new name is taken. */
export async function readTable(client: Client, schema: string, table: string, fresh: string): Promise<RecipeTable> {
  const [found] = await rows<RecipeTable & { taken: boolean }>(
    client,
    `
    SELECT n.nspname AS schema, c.relname AS table,
      (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
      coalesce((SELECT json_agg(json_build_object('grantee', grantee, 'privileges', privileges, 'grantable', grantable) ORDER BY grantee) FROM (
        SELECT CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(p.grantee)) END AS grantee,
          string_agg(p.privilege_type, ', ' ORDER BY p.privilege_type) AS privileges, p.is_grantable AS grantable
        FROM aclexplode(c.relacl) p WHERE p.grantee <> c.relowner
        AND p.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') GROUP BY p.grantee, p.is_grantable) AS each), '[]') AS grants,
      coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid
        AND a.attacl IS NOT NULL AND NOT a.attisdropped), '[]') AS granted,
      c.relrowsecurity AS guarded,
      EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = n.oid AND o.relname = $3) AS taken
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
    [schema, table, fresh],
  );
  if (!found)
    throw unfitForRecipe(
      `There is no table ${schema}.${table}.`,
      'a table of the live database that is no partition.',
      'fix the name: verdigris expand-contract rename-table TABLE NEW.',
    );
  if (found.taken)
    throw unfitForRecipe(`${schema} has a ${fresh} already.`, 'a name that is free.', 'give another one.');
  return found;
}

/**
 * A table keeps its name, by which replication finds it; a view has the new one, and PostgreSQL passes reads and writes
 * on. With the rights of whoever asks, so that row-level security holds as it does on the table.
 */
export function renameTableRecipe({ schema, table, columns, grants, granted }: RecipeTable, fresh: string): Recipe {
  const [old, view] = [ident(schema, table), ident(schema, fresh)];
  const rights = grants
    .map(
      ({ grantee, privileges, grantable }) =>
        `GRANT ${privileges} ON ${view} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''};\n`,
    )
    .join('');
  const byHand =
    granted.length === 0
      ? ''
      : `-- To be decided by you: these columns have privileges of their own: ${granted.join(', ')}\n`;
  return {
    files: [
      {
        name: `${shortName(`rename_${table}_to_${fresh}`)}.sql`,
        text: `-- Software of the release before says ${schema}.${table}, that of this one says ${schema}.${fresh}:
-- the same rows, read and written by both names.
CREATE VIEW ${view} WITH (security_invoker = true) AS SELECT ${columns.map((name) => ident(name)).join(', ')} FROM ${old};
${rights}${byHand}`,
      },
    ],
    next: [
      `The new release: its software may read and write ${fresh}: SELECT, INSERT (ON CONFLICT too), UPDATE, ` +
        `DELETE. TRUNCATE, COPY into it and foreign keys want ${table}.`,
      `A migration that adds a column to ${table} makes the view again with it: CREATE OR REPLACE VIEW.`,
      `${table} stays, and so does the view: nothing is to be taken away later.`,
    ],
  };
}
