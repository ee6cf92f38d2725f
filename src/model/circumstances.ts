import { z } from 'zod';
import { colours } from './colours.ts';

/** Under what all rows were equal, or all of them sent: where it is another now, they may not be any more. */
export const circumstances = z.strictObject({
  /** With another one a server's storage may be an earlier state. */
  startTimes: z.partialRecord(z.enum(colours), z.string()),
  /** Of apply. PostgreSQL counts none before 15, and none where somebody stopped the subscription and let it go on. */
  errors: z.int(),
  /** The process that sends from the slot: while none has it, somebody can move it past rows, and nothing tells. */
  sender: z.int().optional(),
});

export type Circumstances = z.output<typeof circumstances>;
