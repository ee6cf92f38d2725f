import { lineDiff } from '../../../postgres/fingerprint/lines.ts';
import { rows, withFixedPath, type Client } from '../../../postgres/client.ts';

const users = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'verdigris') AND n.nspname !~ '^pg_(toast|temp)'`;
/** What an extension brought is the extension's. */
const own = (catalogue: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/**
 * Definitions of functions, procedures, views and triggers as the server prints them, by `function public.f(integer)`.
 */
export async function definitions(client: Client): Promise<Map<string, string>> {
  const found = await withFixedPath(client, () =>
    rows<{ name: string; text: string }>(
      client,
      `
    SELECT 'function ' || p.oid::regprocedure AS name, pg_get_functiondef(p.oid) AS text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE ${users} AND p.prokind IN ('f', 'p', 'w') AND ${own('pg_proc', 'p.oid')}
    UNION ALL SELECT 'view ' || c.oid::regclass, pg_get_viewdef(c.oid, true) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${users} AND c.relkind IN ('v', 'm') AND ${own('pg_class', 'c.oid')}
    UNION ALL SELECT 'trigger ' || t.tgname || ' on ' || c.oid::regclass, pg_get_triggerdef(t.oid, true)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${users} AND NOT t.tgisinternal
    ORDER BY 1`,
    ),
  );
  return new Map(found.map(({ name, text }) => [name, text]));
}

/** Lines of one object that are printed. */
const shownLines = 20;

/**
 * One text for each object that is new, gone or changed; a changed one with its lines, `-` before and `+` after, 20 at
 * most.
 */
export function describeChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    if (old === undefined) return [`new: ${name}`];
    if (now === undefined) return [`dropped: ${name}`];
    const lines = lineDiff(old.trimEnd(), now.trimEnd());
    const more = lines.length > shownLines ? [`… ${lines.length - shownLines} more lines`] : [];
    return [[`changed: ${name}`, ...lines.slice(0, shownLines), ...more].join('\n  ')];
  });
}
