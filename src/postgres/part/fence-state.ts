import { rows, type Client } from '../client.ts';
import { fenceTrigger, isFence } from './graph.ts';
import { refuseBody } from './machinery.ts';

/** Tables that writers can name, partitions too, with what is known of their triggers. */
export interface Fenced {
  readonly table: string;
  /** pg_trigger.tgenabled of the one that Verdigris made; null where there is none. */
  readonly trigger: string | null;
  /** It is as this version makes it. */
  readonly whole: boolean;
}

/** pg_trigger.tgtype of one FOR EACH STATEMENT: BEFORE (2) INSERT (4), DELETE (8), UPDATE (16), TRUNCATE (32). */
const everyWrite = 2 + 4 + 8 + 16 + 32;

export const isOurs = isFence('g');

/** Tables, of these and their partitions, with a trigger that only bears the name of the fence's: it would be replaced. */
export async function namedAsFence(client: Client, tables: readonly string[]): Promise<string[]> {
  const all = (await readFence(client, tables)).map(({ table }) => table);
  const found = await rows<{ table: string }>(
    client,
    `SELECT t.name AS "table" FROM unnest($1::text[]) AS t(name) JOIN ONLY pg_catalog.pg_trigger g ON g.tgrelid = to_regclass(t.name)
    WHERE g.tgname = '${fenceTrigger}' AND NOT (${isOurs})`,
    [all],
  );
  return found.map(({ table }) => table);
}

/** `tables` as they are declared. */
export async function readFence(client: Client, tables: readonly string[]): Promise<Fenced[]> {
  return rows<Fenced>(
    client,
    `WITH RECURSIVE part(oid) AS (
      SELECT to_regclass(t)::oid FROM unnest($1::text[]) AS t
      UNION SELECT inhrelid FROM pg_catalog.pg_inherits JOIN part ON inhparent = oid)
    SELECT format('%I.%I', n.nspname, c.relname) AS "table", g.tgenabled AS trigger,
      coalesce(g.tgtype = ${everyWrite} AND g.tgqual IS NULL AND g.tgattr::text = ''
        AND EXISTS (SELECT FROM ONLY pg_catalog.pg_proc p WHERE p.oid = g.tgfoid AND p.prosrc = $2), false) AS whole
    FROM part JOIN ONLY pg_catalog.pg_class c USING (oid) JOIN ONLY pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN ONLY pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND ${isOurs} WHERE c.relkind IN ('r', 'p') ORDER BY 1`,
    [tables, refuseBody],
  );
}

/** It refuses every writer. */
export function isClosed({ trigger, whole }: Fenced): boolean {
  return whole && trigger === 'A';
}

/** Those of these tables that are closed; without any, of whatever release. */
export async function closedTables(client: Client, tables?: readonly string[]): Promise<string[]> {
  if (!tables) return withTrigger(client, "= 'A'");
  return (await readFence(client, tables)).flatMap(({ table, trigger }) => (trigger === 'A' ? [table] : []));
}

/** Tables of the database by the state of the fence's trigger on them. */
export async function withTrigger(client: Client, state: "= 'A'" | "<> 'A'"): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT tgrelid::regclass::text AS name FROM ONLY pg_catalog.pg_trigger g WHERE ${isOurs} AND tgenabled ${state} ORDER BY 1`,
  );
  return found.map(({ name }) => name);
}
