import { z } from 'zod';
import { circumstances } from './circumstances.ts';
import { colours } from './colours.ts';

const colour = z.enum(colours);
const time = z.iso.datetime();

const seed = z.strictObject({
  /** C: confirmed_flush_lsn of the slot when it was made. */
  slotLsn: z.string().optional(),
  /**
   * Of the live server when the slot was made: a different one at any gate means that the slot may have been rewound.
   */
  startTime: z.string().optional(),
  timeline: z.int().optional(),
  snapshot: z.string().optional(),
  method: z.string().optional(),
  /** Of a seed by tables: pattern of the slots that PostgreSQL makes on the live server meanwhile. */
  syncSlots: z.string().optional(),
  /** Roles whose declared passwords were set on a server that shows nobody what they were there. */
  passwords: z.array(z.string()).optional(),
  /** Of a seed by a program: what that said of its copy, which is whole then. */
  said: z.string().optional(),
  /** X: what the parked copy had replayed. The subscription starts here. */
  position: z.string().optional(),
});

/** What a release knows of one database: of the environment's first at the top of its record, of each further one below. */
export const databasePart = {
  seed,
  /** Digests of the schemas when they were last known to be right; the objects themselves are in the database. */
  schema: z.partialRecord(colour, z.string()).default({}),
  verification: z
    .strictObject({
      at: time,
      mode: z.string(),
      rows: z.number(),
      bytes: z.number(),
      seconds: z.number(),
      /** Before the comparison began. */
      proof: circumstances.optional(),
    })
    .optional(),
  /** Every run of the migrations; `log` holds all that the engine said. */
  migrations: z
    .array(
      z.strictObject({
        at: time,
        engine: z.string(),
        outcome: z.enum(['done', 'failed']),
        applied: z.array(z.string()),
        error: z.string().optional(),
        log: z.string(),
      }),
    )
    .optional(),
  /** Digest of the folder whose migrations the candidate has. */
  folder: z.string().optional(),
  /**
   * Statements of the migrations that write rows both colours have: where each runs, or ran, and what it wrote; of one
   * that runs at the switchover what it wrote when it was tried last.
   */
  data: z
    .array(
      z.strictObject({
        at: time,
        place: z.enum(['candidate', 'live', 'switch']),
        source: z.string(),
        writes: z.array(
          z.strictObject({ table: z.string(), inserted: z.number(), updated: z.number(), deleted: z.number() }),
        ),
        ms: z.number().optional(),
        /** Of what a tool runs at the switchover: the digest of the candidate's schema when it was tried. */
        schema: z.string().optional(),
      }),
    )
    .optional(),
  /** What the migrations made wider: the first row that only it takes ends the lossless rollback. */
  endsRollback: z.array(z.string()).optional(),
};
