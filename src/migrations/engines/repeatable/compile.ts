import { VerdigrisError } from '../../../model/errors.ts';
import { one, rows, withFixedPath, type Client } from '../../../postgres/client.ts';
import { describeMany } from './describe-many.ts';

/**
 * Functions in SQL and PL/pgSQL whose body does not hold against the database as it is, with why. By plpgsql_check
 * where it is installed, which resolves every name; else each is replaced by itself, which PostgreSQL checks wholly for
 * SQL and by syntax and types for PL/pgSQL, inside a savepoint that is rolled back. Those are looked at that the
 * session may replace. Opens a transaction where there is none.
 */
export async function brokenFunctions(client: Client): Promise<Map<string, string>> {
  const { inside } = await withFixedPath(client, () =>
    one<{ inside: boolean }>(client, 'SELECT now() <> statement_timestamp() AS inside'),
  );
  await client.query(inside ? 'SAVEPOINT compile' : 'BEGIN');
  try {
    await client.query('SET LOCAL check_function_bodies = on; SET LOCAL client_min_messages = error');
    return await check(client);
  } finally {
    await client.query(inside ? 'ROLLBACK TO SAVEPOINT compile; RELEASE SAVEPOINT compile' : 'ROLLBACK');
  }
}

interface Found {
  readonly oid: number;
  readonly name: string;
  readonly text: string;
  readonly language: string;
  readonly trigger: boolean;
}

/** SQLSTATE raise_exception. */
const raised = 'P0001';

async function check(client: Client): Promise<Map<string, string>> {
  const checker = await withFixedPath(client, () =>
    rows<{ schema: string }>(
      client,
      "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'plpgsql_check'",
    ),
  );
  const functions = await withFixedPath(client, () =>
    rows<Found>(
      client,
      `
    SELECT p.oid::int8::int AS oid, p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS text, l.lanname AS
      language, p.prorettype = 'trigger'::regtype AS trigger
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'verdigris')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      AND pg_has_role(p.proowner, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
    ORDER BY 2`,
    ),
  );
  const broken = new Map<string, string>();
  for (const { oid, name, text, language, trigger } of functions) {
    await client.query('SAVEPOINT body');
    try {
      await client.query(text);
      if (checker[0] && language === 'plpgsql') {
        const errors = await rows<{ message: string }>(
          client,
          trigger
            ? triggerErrors(checker[0].schema)
            : `SELECT message FROM ${checker[0].schema}.plpgsql_check_function_tb($1::oid::regprocedure) WHERE level = 'error'`,
          [oid],
        );
        if (errors.length > 0) broken.set(name, errors.map(({ message }) => message).join('; '));
      }
    } catch (error) {
      // What an event trigger says against CREATE FUNCTION is nothing of the body's.
      if ((error as { code?: string }).code !== raised) broken.set(name, (error as Error).message);
    }
    // Released too: the next one would be inside it, and each takes a lock of the server's until the end.
    await client.query('ROLLBACK TO SAVEPOINT body; RELEASE SAVEPOINT body');
  }
  return broken;
}

/**
 * A trigger's function is checked against each table that it is on, with the transition tables that the trigger names;
 * what is on no table nobody runs. On a partition it is its root's over again.
 */
function triggerErrors(schema: string): string {
  return `SELECT DISTINCT t.tgrelid::regclass || ': ' || found.message AS message
    FROM (SELECT DISTINCT tgrelid, tgoldtable, tgnewtable FROM pg_trigger WHERE tgfoid = $1::oid AND tgparentid = 0) t,
      ${schema}.plpgsql_check_function_tb($1::oid::regprocedure, relid => t.tgrelid, oldtable => t.tgoldtable, newtable => t.tgnewtable) found
    WHERE found.level = 'error' ORDER BY 1`;
}

/** Refuses functions that do not hold now and did before; says which did not hold before either. */
export function refuseBroken(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  say: (text: string) => void,
): void {
  const old = [...after].filter(([name]) => before.has(name));
  if (old.length > 0)
    say(`broken before this release already: ${describeMany(old.map(([name, why]) => `${name} (${why})`))}`);
  const fresh = [...after].filter(([name]) => !before.has(name));
  if (fresh.length === 0) return;
  throw new VerdigrisError('function-broken', {
    seen: `The migrations break functions: ${describeMany(fresh.map(([name, why]) => `${name}: ${why}`))}.`,
    required: 'every function that worked before still working.',
    next:
      'change these functions in the same release, in repeatable/ or a numbered migration, and migrate again: ' +
      'no repeatable file is applied, the numbered ones are. The live colour is untouched.',
    facts: { functions: Object.fromEntries(fresh) },
  });
}
