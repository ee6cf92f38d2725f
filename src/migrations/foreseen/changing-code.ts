import { rows, type Client } from '../../postgres/client.ts';
import { wordsOf } from './names.ts';

/** Code of the live colour that may change a schema when a statement that says nothing of it runs. */
export interface ChangingCode {
  /** Functions, and relations on which one is a trigger, by their bare names in lower case. */
  readonly called: ReadonlySet<string>;
  /** An event trigger runs such a function whenever an object is made or changed. */
  readonly watchesDdl: boolean;
}

const words = /\b(?:alter|create|drop|rename|execute)\b/i;
const texts = /'(?:[^']|'')*'|--[^\n]*|\/\*[^]*?\*\//g;

/** Whether a function's source may change a schema: what it says in texts and comments it does not do. */
export function mayChangeSchema(source: string): boolean {
  return words.test(source.replaceAll(texts, ' '));
}

export async function readChangingCode(live: Client): Promise<ChangingCode> {
  const functions = await changingFunctions(live);
  const triggers = await rows<{ relation: string; name: string }>(
    live,
    `SELECT lower(c.relname) AS relation, lower(p.proname) AS name FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'`,
  );
  // With an extension all is in doubt in any case.
  const watching = await rows<{ name: string }>(
    live,
    `SELECT lower(p.proname) AS name FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
    WHERE e.evtenabled <> 'D' AND e.evtevent IN ('ddl_command_start', 'ddl_command_end')
      AND coalesce(NOT e.evttags <@ '{CREATE EXTENSION,ALTER EXTENSION,DROP EXTENSION}', true)`,
  );
  const changes = ({ name }: { readonly name: string }): boolean => functions.has(name);
  return {
    called: new Set([...functions, ...triggers.filter(changes).map(({ relation }) => relation)]),
    watchesDdl: watching.some(changes),
  };
}

/** By their names; those too that call one. */
async function changingFunctions(live: Client): Promise<Set<string>> {
  const all = await rows<{ name: string; source: string }>(
    live,
    `SELECT lower(p.proname) AS name, lower(p.prosrc) AS source FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND l.lanname NOT IN ('c', 'internal')`,
  );
  const found = new Set(all.flatMap(({ name, source }) => (mayChangeSchema(source) ? [name] : [])));
  const others = all.flatMap(({ name, source }) => (found.has(name) ? [] : [{ name, words: [...wordsOf(source)] }]));
  for (let known = -1; known < found.size;) {
    known = found.size;
    for (const { name, words: said } of others) if (said.some((word) => found.has(word))) found.add(name);
  }
  return found;
}
