import type { Table } from './catalogue.ts';
import { one, rows, type Client } from './client.ts';
import { forColumns } from './sequence-twins.ts';

const whole = ['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8'];

/** Numbers that rows were brought back with: the least and the greatest, by table and column. */
export class BroughtNumbers {
  readonly #by = new Map<Table, Map<string, { least: bigint; greatest: bigint }>>();

  note(table: Table, row: Readonly<Record<string, string | null>>): void {
    const columns = this.#by.get(table) ?? new Map<string, { least: bigint; greatest: bigint }>();
    this.#by.set(table, columns);
    for (const { name, baseType } of table.columns) {
      const text = whole.includes(baseType) ? row[name] : undefined;
      if (text === undefined || text === null) continue;
      const value = BigInt(text);
      const { least, greatest } = columns.get(name) ?? { least: value, greatest: value };
      columns.set(name, { least: value < least ? value : least, greatest: value > greatest ? value : greatest });
    }
  }

  /**
   * Sets sequences that fill these columns past the numbers, or the next row of a client would have one of them. Not
   * where that would use up more than half of what a sequence has left: such a number was written by hand.
   */
  async advance(client: Client): Promise<void> {
    const tables = [...this.#by.keys()];
    const filled = await rows<{ sequence: string; oid: number; column: string; up: boolean; min: string; max: string }>(
      client,
      `SELECT q.sequence, a.attrelid::int8::float8 AS oid, a.attname AS column, q.up, q.min, q.max FROM (
        SELECT format('%I.%I', n.nspname, c.relname) AS sequence, s.seqincrement > 0 AS up, s.seqmin::text AS min, s.seqmax::text AS max, ${forColumns}
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid) q
      JOIN pg_class t ON t.oid = ANY ($1::oid[]) JOIN pg_namespace tn ON tn.oid = t.relnamespace
      JOIN pg_attribute a ON a.attrelid = t.oid AND format('%I.%I.%I', tn.nspname, t.relname, a.attname) = ANY (q.fills)`,
      [tables.map(({ oid }) => oid)],
    );
    for (const { sequence, oid, column, up, min, max } of filled) {
      const table = tables.find((each) => each.oid === oid);
      const brought = table && this.#by.get(table)?.get(column);
      if (!brought) continue;
      const value = up ? brought.greatest : brought.least;
      const at = await one<{ last: string; called: boolean }>(
        client,
        `SELECT last_value::text AS last, is_called AS called FROM ${sequence}`,
      );
      const [last, end] = [BigInt(at.last), BigInt(up ? max : min)];
      const ahead = up ? value - last : last - value;
      const left = up ? end - last : last - end;
      if (ahead < 0n || (ahead === 0n && at.called) || ahead * 2n > left) continue;
      await client.query('SELECT setval($1::regclass, $2::bigint)', [sequence, String(value)]);
    }
  }
}
