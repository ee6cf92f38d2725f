import { parse } from 'libpg-query';
import { rows, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';

/** Tables that the statements name, by OID. What a function or a DO block does inside is not seen. */
export async function touchedTables(client: Client, texts: readonly string[]): Promise<Set<string>> {
  const names = new Set<string>();
  for (const text of texts) collect(await parse(text).catch(() => undefined), names);
  const found = await rows<{ oid: string }>(
    client,
    `
    SELECT coalesce(i.indrelid, c.oid)::text AS oid FROM unnest($1::text[]) AS name
    JOIN pg_class c ON c.oid = to_regclass(name) LEFT JOIN pg_index i ON i.indexrelid = c.oid`,
    [[...names]],
  );
  return new Set(found.map(({ oid }) => oid));
}

function collect(node: unknown, names: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  const { relname, schemaname } = node as { relname?: unknown; schemaname?: unknown };
  if (typeof relname === 'string')
    names.add(typeof schemaname === 'string' ? ident(schemaname, relname) : ident(relname));
  for (const value of Object.values(node)) collect(value, names);
}
