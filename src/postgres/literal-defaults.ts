import type { Table } from './catalogue.ts';
import { rows, type Client } from './client.ts';
import { textOf } from './compare/text.ts';

const literal = String.raw`^('([^']|'')*'|-?[0-9.]+|true|false)(::[\w ."\[\]]+(\([0-9, ]+\))?(\[\])?)?$`;

/** SQL for the text of what a row has in a column that it leaves out, by column; of defaults that are literals. */
export async function literalDefaults(
  client: Client,
  { oid }: Pick<Table, 'oid'>,
): Promise<ReadonlyMap<string, string>> {
  const found = await rows<{ name: string; value: string }>(
    client,
    `SELECT a.attname AS name, format('(%s)::%s', q.value, format_type(a.atttypid, a.atttypmod)) AS value
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    CROSS JOIN LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid) AS value) q WHERE d.adrelid = $1::oid AND q.value ~ $2`,
    [oid, literal],
  );
  return new Map(found.map(({ name, value }) => [name, textOf(value, false)]));
}
