import { one, rows, type Client } from '../client.ts';
import type { Glance } from './glance.ts';

/**
 * Catalogues of which every column is in `readObjects` or carried: ALTER SEQUENCE … RESTART writes the same row of
 * pg_sequence again, and what it sets is carried under the fence.
 */
const wholly: ReadonlySet<string> = new Set(['pg_class', 'pg_sequence']);

/**
 * What moved in these catalogues and has no object that `readObjects` knows: an operator of an extension that was
 * altered, for instance. Rows that only changed their place (VACUUM FULL) are nothing.
 */
export async function unnamed(
  client: Client,
  before: Glance,
  now: Glance,
  moved: readonly string[],
): Promise<string[]> {
  const names = await Promise.all(
    moved.filter((catalogue) => !wholly.has(catalogue)).map((catalogue) => written(client, before, now, catalogue)),
  );
  return names.flat();
}

/** Of which object a row of a catalogue is that has no identity of its own. */
const whose: Readonly<Record<string, string>> = {
  pg_attribute: 'x.attrelid::regclass::text',
  pg_depend: 'pg_describe_object(x.classid, x.objid, x.objsubid)',
  pg_description: 'pg_describe_object(x.classoid, x.objoid, x.objsubid)',
  pg_index: 'x.indexrelid::regclass::text',
  pg_inherits: 'x.inhrelid::regclass::text',
  pg_partitioned_table: 'x.partrelid::regclass::text',
};

async function written(client: Client, before: Glance, now: Glance, catalogue: string): Promise<string[]> {
  const number = ({ lasting }: Glance) => lasting.get(catalogue)?.split(' ')[0] ?? '0';
  if (number(before) !== number(now)) return [`${catalogue} had ${number(before)} rows, and has ${number(now)}`];
  const { identified } = await one<{ identified: boolean }>(
    client,
    "SELECT count(*) > 0 AS identified FROM pg_catalog.pg_attribute WHERE attrelid = $1::regclass AND attname = 'oid'",
    [`pg_catalog.${catalogue}`],
  );
  const found = await rows<{ name: string }>(
    client,
    identified
      ? `SELECT o.type || ' ' || o.identity AS name FROM pg_catalog.${catalogue} x CROSS JOIN LATERAL pg_identify_object(x.tableoid, x.oid, 0) AS o
         WHERE age(x.xmin) <= age('${before.since}'::xid) AND coalesce(o.schema, '') !~ '^pg_(toast|temp)' LIMIT 20`
      : `SELECT DISTINCT 'a row of ${catalogue}' || coalesce(' of ' || ${whose[catalogue] ?? 'NULL'}, '') AS name
         FROM pg_catalog.${catalogue} x WHERE age(x.xmin) <= age('${before.since}'::xid) LIMIT 20`,
  );
  return found.map(({ name }) => `changed ${name}`);
}
