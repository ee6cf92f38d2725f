import { createReadStream } from 'node:fs';
import { VerdigrisError } from '../model/errors.ts';
import { textLines } from '../model/text-lines.ts';
import { label, ownRows, qualified, readHistoryTables, readTables, type Table } from './catalogue.ts';
import { one, rows, withTransaction, type Client } from './client.ts';
import { columnText } from './column-text.ts';
import { compared, readOrders } from './key-order.ts';
import { literalDefaults } from './literal-defaults.ts';
import { lostRowSchema, type LostRow } from './lost-rows.ts';
import { ident } from './quote.ts';

/**
 * Brings the rows of an export back: all of them or, where one cannot be, none. Rows as they were before are taken out
 * first, so that a key which moved from one row to another is free. As replication does it: triggers do not fire once
 * more and foreign keys are not asked (the rows were accepted once); those are looked at afterwards, over the whole of
 * the tables.
 * @throws VerdigrisError `import-unreadable`, `import-conflict`
 */
export async function importLost(client: Client, file: string): Promise<{ rows: number; tables: number }> {
  const tables = new Map(
    [...(await readTables(client)), ...(await readHistoryTables(client))].map((table) => [label(table), table]),
  );
  const touched = new Map<Table, Orders>();
  let count = 0;
  await withTransaction(client, async () => {
    const { session_replication_role: fires } = await one<{ session_replication_role: string }>(
      client,
      'SHOW session_replication_role',
    );
    if (fires !== 'replica') await client.query('SET LOCAL session_replication_role = replica');
    for (const turn of ['before', 'row'] as const) {
      for await (const { line, number } of linesOf(file)) {
        const table = tables.get(line.relation.join('.'));
        if (!table) throw conflict(file, number, line, 'the table does not exist here');
        const orders = touched.get(table) ?? (await readOrders(client, qualified(table)));
        touched.set(table, orders);
        if (turn === 'before') count++;
        const values = line[turn];
        if (
          values &&
          !(turn === 'before' ? await takeOut(client, table, line, orders) : await putIn(client, table, values))
        )
          throw conflict(file, number, line, 'the row is not here as it was when the export was written');
      }
    }
    for (const table of touched.keys()) await requireReferences(client, table, file);
  });
  return { rows: count, tables: touched.size };
}

type Values = NonNullable<LostRow['row']>;
type Orders = Awaited<ReturnType<typeof readOrders>>;

async function takeOut(client: Client, table: Table, line: LostRow, orders: Orders): Promise<boolean> {
  const { before: values = {}, row = {} } = line;
  const names = Object.keys(values).filter((name) => table.columns.some((column) => column.name === name));
  // By its key where there is one, so that an index finds it; by the text of the rest, so that it is the very row.
  const keyed = new Set(table.primaryKey.filter((name) => names.includes(name)));
  const matches = names.map((name, place) =>
    keyed.has(name)
      ? compared(`r.${ident(name)}`, '=', `$${place + 1}`, orders.get(name) ?? null)
      : `${columnText('r', name)} IS NOT DISTINCT FROM $${place + 1}::text`,
  );
  // What the other colour did not have when the export was written: nobody has written it since.
  const more = table.columns.filter(
    ({ name, generated }) => !generated && Object.hasOwn(row, name) && !Object.hasOwn(values, name),
  );
  const given = more.length === 0 ? undefined : await literalDefaults(client, table);
  for (const [place, { name }] of more.entries()) {
    const text = columnText('r', name);
    const exported = `${text} IS NOT DISTINCT FROM $${names.length + place + 1}::text`;
    matches.push(`(${text} IS NOT DISTINCT FROM ${given?.get(name) ?? 'NULL'} OR ${exported})`);
  }
  const { rowCount } = await client.query(
    `DELETE FROM ${ownRows(table)} d USING
      (SELECT r.tableoid AS o, r.ctid AS c FROM ${ownRows(table)} r WHERE ${matches.join(' AND ')} LIMIT 1) f
    WHERE d.tableoid = f.o AND d.ctid = f.c`,
    [...names.map((name) => values[name]), ...more.map(({ name }) => row[name])],
  );
  return rowCount === 1;
}

async function putIn(client: Client, table: Table, values: Values): Promise<boolean> {
  // A column that this release does not have stays in the export.
  const names = table.columns
    .filter(({ name, generated }) => !generated && Object.hasOwn(values, name))
    .map(({ name }) => name);
  const { rowCount } = await client.query(
    `INSERT INTO ${qualified(table)} (${names.map((name) => ident(name)).join(', ')}) OVERRIDING SYSTEM VALUE
    VALUES (${names.map((_, place) => `$${place + 1}`).join(', ')})`,
    names.map((name) => values[name]),
  );
  return rowCount === 1;
}

/**
 * Every foreign key from and to the table, over all rows: what was brought back may refer to what is gone since, or the
 * other way.
 */
async function requireReferences(client: Client, table: Table, file: string): Promise<void> {
  const keys = await rows<{ name: string; child: string; parent: string; joined: string; set: string; first: string }>(
    client,
    `SELECT k.conname AS name, ${own('k.conrelid')} AS child, ${own('k.confrelid')} AS parent,
      string_agg(format('p.%I = c.%I', pa.attname, ca.attname), ' AND ') AS joined,
      string_agg(format('num_nulls(c.%I) = 0', ca.attname), ' AND ') AS set, min(format('p.%I', pa.attname)) AS first
    FROM pg_constraint k, unnest(k.conkey, k.confkey) AS u(c, p), pg_attribute ca, pg_attribute pa
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND ($1::oid IN (k.conrelid, k.confrelid) OR k.conrelid IN (SELECT relid FROM pg_partition_tree($1::oid)))
      AND ca.attrelid = k.conrelid AND ca.attnum = u.c AND pa.attrelid = k.confrelid AND pa.attnum = u.p GROUP BY k.oid`,
    [table.oid],
  );
  for (const { name, child, parent, joined, set, first } of keys) {
    const lost = await rows(
      client,
      `SELECT FROM ${child} c LEFT JOIN ${parent} p ON ${joined} WHERE ${set} AND num_nulls(${first}) = 1 LIMIT 1`,
    );
    if (lost.length > 0)
      throw refused(
        file,
        `with its rows the foreign key ${name} of ${bare(child)} would not hold: ${bare(parent)} lacks a row.`,
      );
  }
}

/** A foreign key knows nothing of tables that inherit, on either side. */
const own = (oid: string): string =>
  `(SELECT CASE relkind WHEN 'p' THEN '' ELSE 'ONLY ' END FROM pg_class WHERE oid = ${oid}) || ${oid}::regclass`;

const bare = (source: string): string => source.replace(/^ONLY /, '');

async function* linesOf(file: string): AsyncGenerator<{ line: LostRow; number: number }> {
  let number = 0;
  for await (const text of textLines(createReadStream(file))) {
    number++;
    if (text === '') continue;
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch {
      line = undefined;
    }
    const parsed = lostRowSchema.safeParse(line);
    if (!parsed.success)
      throw new VerdigrisError('import-unreadable', {
        seen: `${file}:${number} is not a row exported by this version of Verdigris.`,
        required: 'the file as a lossy rollback wrote it.',
        next: 'pass that file, whole and unchanged. Nothing was changed.',
      });
    yield { line: parsed.data, number };
  }
}

function conflict(file: string, number: number, line: LostRow, why: string): VerdigrisError {
  return refused(file, `line ${number}, ${line.kind} in ${line.table}: ${why}.`);
}

function refused(file: string, what: string): VerdigrisError {
  return new VerdigrisError('import-conflict', {
    seen: `${file} cannot be brought back: ${what}`,
    required: 'every row as the export found it: what was written since is never overwritten.',
    next: 'nothing was changed. Decide which version is right. To keep rows as they are, remove their lines from a copy of the file, and import that.',
  });
}
