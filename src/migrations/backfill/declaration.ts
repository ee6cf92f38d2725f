import { z } from 'zod';
import { duration, size } from '../../model/units.ts';

const sql = z.string().trim().min(1);

/** What a file `NNNN_name.backfill.yaml` may say. */
export const backfillSchema = z.strictObject({
  /** `orders` or `sales.orders`; without a schema, `public`. */
  table: z.string().regex(/^[^".]+(\.[^".]+)?$/, 'is a table, or schema.table, unquoted'),
  /** As after SET: `full_name = first || ' ' || last, active = true`. */
  set: sql,
  /** True for just those rows whose value is still wrong; once a row is filled it must be false. */
  where: sql,
  /** Columns that batches go by: unique and never null. Default: the primary key. */
  key: z.array(z.string().min(1)).min(1).optional(),
  /**
   * Whether rows that arrive by replication are filled on their way in. False where a trigger of the migrations does
   * so.
   */
  trigger: z.boolean().default(true),
  batch: z
    .strictObject({
      /** Rows that a batch looks at, at most. */
      rows: z.int().min(1).max(1_000_000).default(5_000),
      /** What a batch is to take: the number of rows is fitted to it. */
      time: duration.default(200),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Bytes that replication may be behind before the next batch waits. Default: `limits.lag` of the environment. */
      lag: size.optional(),
      /** Sessions of clients at work on the live colour above which the next batch waits. */
      active: z.int().min(0).default(20),
      /** For one run; what is left is done by the next. */
      time: duration.optional(),
    })
    .prefault({}),
});

export type BackfillDeclaration = z.output<typeof backfillSchema>;
