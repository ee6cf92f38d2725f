import type { Metric } from '../../../model/delivery-metrics.ts';
import type { Colours } from '../colours.ts';
import { inconclusive, judgeValue, type Conditions, type Measurement } from '../measurement.ts';

/** One row of one number. */
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
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
  return judgeValue(text === '' ? Number.NaN : Number(text), conditions, `${text === '' ? 'null' : text} on ${colour}`);
}
