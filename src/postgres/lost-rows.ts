import { z } from 'zod';

/** No `z.record`: it drops a column that is called `__proto__`. */
const values = z.custom<Readonly<Record<string, string | null>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => text === null || typeof text === 'string'),
);

/**
 * A line of an export: a row that one colour had otherwise than the other. Values are PostgreSQL's own text, by column;
 * NULL is null.
 */
export const lostRowSchema = z.strictObject({
  /** For people and tools: `schema.table`. */
  table: z.string(),
  relation: z.tuple([z.string(), z.string()]),
  /** Of a further database; without it the environment's first. */
  database: z.string().optional(),
  /** `columns`: the row is on both, and has values in columns that only one has. */
  kind: z.enum(['inserted', 'updated', 'deleted', 'columns']),
  /** As it was on the colour that was given up; of `columns` those that it alone has. */
  row: values.optional(),
  /** As it is on the colour that was gone back to; of `columns` those by which it is found. */
  before: values.optional(),
});

export type LostRow = z.output<typeof lostRowSchema>;
