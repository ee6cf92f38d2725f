import type { Metric } from '../../../model/delivery-metrics.ts';
import type { Colours } from '../colours.ts';
import { inconclusive, judgeValue, type Conditions, type Measurement } from '../measurement.ts';

/** One row of one number; a boolean is 1 or 0. */
export async function measureSql(
  { on, query }: NonNullable<Metric['sql']>,
  conditions: Conditions,
  colours: Colours,
): Promise<Measurement> {
  const colour = on === 'candidate' ? colours.candidate : colours.former;
  // The extended protocol takes one statement, so that none can end the transaction that is read-only.
  const { rows, fields } = await colours.read(colour, (client) =>
    client.query<unknown[]>({ text: query, rowMode: 'array', queryMode: 'extended' } as {
      text: string;
      rowMode: 'array';
    }),
  );
  const [row] = rows;
  if (!row || rows.length > 1 || fields.length !== 1)
    return inconclusive(
      `the query on ${colour} gives ${rows.length} rows of ${fields.length} columns, and one number is wanted`,
    );
  const [value] = row;
  return judgeValue(numberOf(value), conditions, `${String(value)} on ${colour}`);
}

/** Larger integers, and numeric, come as text. */
function numberOf(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}
