import { z } from 'zod';
import { serverSchema } from './server-kinds.ts';

/** Tools whose files Verdigris runs itself, and plain SQL. */
const readByVerdigris = [
  'sql',
  'golang-migrate',
  'goose',
  'dbmate',
  'sql-migrate',
  'tern',
  'sqlx',
  'diesel',
  'refinery',
  'drizzle',
  'atlas',
  'supabase',
] as const;
const tableName = /^[^.,]+\.[^.,]+$/;
const wantedTable = 'a table with its schema: `public.my_migrations`';

const engine = z.union([
  z.enum([...readByVerdigris, 'flyway', 'liquibase', 'prisma', 'node-pg-migrate']),
  z.strictObject({
    tool: z.enum(readByVerdigris),
    /**
     * Version of the last file that had run before anybody wrote that down; counts where no file is written down.
     */
    baseline: z.string().regex(/^\d/, 'the version of a file, as its name begins').optional(),
    /** Its table, where it is configured to use another than its own: `schema.table`. */
    history: z.string().regex(tableName, wantedTable).optional(),
  }),
  z.strictObject({
    command: z.array(z.string().min(1)).min(1),
    /**
     * What it leaves to the switchover: run with clients held, on the new live colour, before the commit point. It
     * may write rows, and nothing else.
     */
    atSwitchover: z.array(z.string().min(1)).min(1).optional(),
    /**
     * Tables in which it writes what it has run, where it is none of the tools that Verdigris knows:
     * `schema.table`.
     */
    history: z.array(z.string().regex(tableName, wantedTable)).optional(),
  }),
]);

/** What a declaration says of one colour. */
export const colourSchema = z.strictObject({
  /** The software's release whose schema this colour carries: any text, compared for equality only. */
  release: z.string().min(1).max(63),
  /** PostgreSQL major. */
  postgres: z
    .int()
    .min(12, 'is below 12, the oldest that Verdigris reads; servers that it runs are 15 or newer')
    .max(18),
  /** Where it runs; without it, as the platform has it. */
  server: serverSchema.optional(),
  /** Folder of the release's migrations, relative to the declaration; none where the schema does not change. */
  migrations: z.string().min(1).optional(),
  /** What runs them; without it, the folder's files decide. */
  engine: engine.optional(),
  /** By name: what runs in a further database. */
  databases: z
    .record(z.string(), z.strictObject({ migrations: z.string().min(1).optional(), engine: engine.optional() }))
    .optional(),
  /**
   * Statements of its migrations may run on the live colour before the switchover, where their notes ask for it;
   * `abandon` does not take that back.
   */
  writesLive: z.boolean().optional(),
  /** Tests of this colour's software, run against the candidate's schema before the switchover. */
  test: z.array(z.string().min(1)).min(1).optional(),
});
