import { createReadStream } from 'node:fs';
import pg from 'pg';
import { VerdigrisError } from '../model/errors.ts';
import { textLines } from '../model/text-lines.ts';
import { BroughtNumbers } from './advance-sequences.ts';
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
export async function importLost(
  client: Client,
  file: string,
  database?: string,
): Promise<{ rows: number; tables: number }> {
  const tables = new Map(
    [...(await readTables(client)), ...(await readHistoryTables(client))].map((table) => [label(table), table]),
  );
  const touched = new Map<Table, Orders>();
  const numbers = new BroughtNumbers();
  const otherwise: { line: LostRow; number: number }[] = [];
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
        const lacking = line.kind === 'columns' ? Object.keys(line.row ?? {}).find(lacks(table)) : undefined;
        if (lacking !== undefined) throw conflict(file, number, line, `the column ${lacking} does not exist here`);
        const orders = touched.get(table) ?? (await readOrders(client, qualified(table)));
        touched.set(table, orders);
        if (line.database !== database)
          throw conflict(file, number, line, `it is of ${line.database ?? "the environment's first database"}`);
        if (turn === 'before') count++;
        const brought = await bringBack(client, table, line, orders, turn).catch((error: unknown) => {
          throw isViolation(error) ? conflict(file, number, line, (error as Error).message) : error;
        });
        if (!brought) otherwise.push({ line, number });
        if (turn === 'row' && line.row) numbers.note(table, line.row);
      }
      if (otherwise.length > 0) throw changedSince(file, otherwise);
    }
    for (const table of touched.keys()) await requireReferences(client, table, file);
    await numbers.advance(client);
  });
  return { rows: count, tables: touched.size };
}

/** SQLSTATE class 23: a row is there by now, or a constraint that it does not satisfy. */
function isViolation(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code?.startsWith('23') === true;
}

const lacks = (table: Table) => (column: string) => !table.columns.some(({ name }) => name === column);

type Values = NonNullable<LostRow['row']>;
type Orders = Awaited<ReturnType<typeof readOrders>>;

async function bringBack(
  client: Client,
  table: Table,
  line: LostRow,
  orders: Orders,
  turn: 'before' | 'row',
): Promise<boolean> {
  if (line.kind === 'columns') return turn === 'row' || putValues(client, table, line, orders);
  if (turn === 'before') return line.before === undefined || takeOut(client, table, line, orders);
  return line.row === undefined || putIn(client, table, line.row);
}

async function takeOut(client: Client, table: Table, line: LostRow, orders: Orders): Promise<boolean> {
  const { conditions, values } = await found(client, table, line, orders);
  const { rowCount } = await client.query(
    `DELETE FROM ${ownRows(table)} d USING
      (SELECT r.tableoid AS o, r.ctid AS c FROM ${ownRows(table)} r WHERE ${conditions.join(' AND ')} LIMIT 1) f
    WHERE d.tableoid = f.o AND d.ctid = f.c`,
    [...values],
  );
  return rowCount === 1;
}

/** Into columns that nobody has written since: each still has what every row got with the column, or what is exported. */
async function putValues(client: Client, table: Table, line: LostRow, orders: Orders): Promise<boolean> {
  const { conditions, values, same } = await found(client, table, line, orders);
  const row = line.row ?? {};
  // What PostgreSQL alone hands out is either the same already, or another row's.
  const fixed = await rows<{ name: string }>(
    client,
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::oid AND attidentity = 'a'",
    [table.oid],
  );
  const names = Object.keys(row).filter((name) => !fixed.some((column) => column.name === name));
  const place = `(SELECT r.tableoid AS o, r.ctid AS c FROM ${ownRows(table)} r
    WHERE ${conditions.join(' AND ')} ORDER BY (${same.join(' AND ')}) LIMIT 1)`;
  if (names.length === 0) return (await rows(client, `SELECT FROM ${place} f`, [...values])).length === 1;
  const { rowCount } = await client.query(
    `UPDATE ${ownRows(table)} d SET ${names.map((name, at) => `${ident(name)} = $${values.length + at + 1}`).join(', ')}
    FROM ${place} f WHERE d.tableoid = f.o AND d.ctid = f.c`,
    [...values, ...names.map((name) => row[name] ?? null)],
  );
  return rowCount === 1;
}

interface Found {
  /** SQL on a row `r`. */
  readonly conditions: readonly string[];
  readonly values: readonly (string | null)[];
  /** Of columns that the other colour did not have: whether the row has what was exported. */
  readonly same: readonly string[];
}

/** How the row of a line is found, as the export found it. */
async function found(client: Client, table: Table, line: LostRow, orders: Orders): Promise<Found> {
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
  const same: string[] = [];
  for (const [place, { name }] of more.entries()) {
    const text = columnText('r', name);
    const exported = `${text} IS NOT DISTINCT FROM $${names.length + place + 1}::text`;
    same.push(exported);
    matches.push(`(${text} IS NOT DISTINCT FROM ${given?.get(name) ?? 'NULL'} OR ${exported})`);
  }
  return {
    conditions: matches,
    values: [...names.map((name) => values[name] ?? null), ...more.map(({ name }) => row[name] ?? null)],
    same,
  };
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

/** Of which further database an export is; undefined for the environment's first. */
export async function databaseOf(file: string): Promise<string | undefined> {
  for await (const { line } of linesOf(file)) return line.database;
  return undefined;
}

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
        required: 'the file as `rollback` wrote it.',
        next: 'pass that file, whole and unchanged. Nothing was changed.',
      });
    yield { line: parsed.data, number };
  }
}

function conflict(file: string, number: number, line: LostRow, why: string): VerdigrisError {
  return refused(file, `line ${number}, ${line.kind} in ${line.table}: ${why}.`);
}

/** Lines that are named one by one. */
const listed = 20;

function changedSince(file: string, lines: readonly { line: LostRow; number: number }[]): VerdigrisError {
  const some = lines.slice(0, listed).map(({ line, number }) => `line ${number}, ${line.kind} in ${line.table}`);
  const rest = lines.length > listed ? [`${lines.length - listed} more`] : [];
  const what = `of these rows, none is here as it was when the export was written: ${[...some, ...rest].join('; ')}.`;
  return refused(
    file,
    what,
    lines.map(({ number }) => number),
  );
}

function refused(file: string, what: string, lines: readonly number[] = []): VerdigrisError {
  return new VerdigrisError('import-conflict', {
    seen: `${file} cannot be brought back: ${what}`,
    required: 'every row as the export found it: what was written since is never overwritten.',
    next: 'nothing was changed. Decide which version is right. To keep rows as they are, remove their lines from a copy of the file, and import that.',
    ...(lines.length === 0 ? {} : { facts: { lines } }),
  });
}
