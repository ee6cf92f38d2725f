import { z } from 'zod';
import { circumstances } from './circumstances.ts';
import { colours } from './colours.ts';
import { credentialRecord } from './credential-record.ts';
import { databasePart } from './database-part.ts';
import { deliveryRecord } from './delivery-record.ts';
import { states, verbs } from './transitions.ts';

/** Raised whenever an older Verdigris could misread the journal. */
export const journalVersion = 1;

const colour = z.enum(colours);
const time = z.iso.datetime();

const step = z.strictObject({ id: z.string(), startedAt: time, endedAt: time.optional() });

const operation = z.strictObject({
  verb: z.enum(verbs),
  /** `start` before the commit point, `complete` after it, `revert` while the work of `start` is being undone. */
  phase: z.enum(['start', 'complete', 'revert']),
  kind: z.enum(['lossless', 'lossy']).optional(),
  /** Of a seed: row by row, by a standby that is there, or by a copy that others make, and not by a copy of the storage. */
  way: z.enum(['logical', 'standby', 'prepared']).optional(),
  startedAt: time,
  steps: z.array(step),
});

/** What a stream is in one database: slots are of one, and their names of the whole server. */
const streamPart = {
  name: z.string(),
  /**
   * Of one that a switchover made: what `from` committed before this position came from the other side, and must not go
   * back there.
   */
  begins: z.string().optional(),
  /** Of one that a switchover made: publication on `to` by which the log of what is written there otherwise is read. */
  witness: z.string().optional(),
  /**
   * Of one that a switchover made: under what `to` followed last with nothing missing; `left` are tables whose rows
   * could not be compared under it, or differed.
   */
  standing: circumstances.extend({ left: z.array(z.string()).optional() }).optional(),
  /** Where its slot was when `to` was stopped to rest: it stays there, unless somebody moves it. */
  rested: z.string().optional(),
};

/** Logical replication from one colour to the other; publication, slot and subscription bear its name. */
const stream = z.strictObject({
  ...streamPart,
  from: colour,
  to: colour,
  /** When the server `to` had started: of an older Verdigris, which knew no `standing`. */
  startTime: z.string().optional(),
  /** In further databases of the server that are released together with the environment's first. */
  databases: z.record(z.string(), z.strictObject(streamPart)).optional(),
});

const release = z.strictObject({
  from: z.string(),
  to: z.string(),
  candidate: colour,
  startedAt: time,
  /**
   * Put together by `recover --rebuild`: what was proved and counted went with the journal, so that it can only be
   * abandoned.
   */
  rebuilt: z.literal(true).optional(),
  /** Of a drill: nobody walks on with its candidate. */
  drill: z.literal(true).optional(),
  ...databasePart,
  /** Further databases of the server: what is known of each by itself. One that is missing here is not carried. */
  databases: z.record(z.string(), z.strictObject(databasePart)).optional(),
  /** Of a release that moves some tables of a database: which, and the colour that has the others too. */
  part: z.strictObject({ origin: colour, tables: z.array(z.string()) }).optional(),
  /** Of the releases' own tests against the candidate; `schema` is the digest that it had then. */
  tests: z
    .array(
      z.strictObject({
        release: z.string(),
        at: time,
        passed: z.boolean(),
        exitCode: z.int().nullable(),
        timedOut: z.boolean(),
        seconds: z.number(),
        log: z.string(),
        tail: z.string(),
        schema: z.string(),
      }),
    )
    .optional(),
  canary: z.int().optional(),
  /** Snapshot of the live colour from just before the commit point. */
  fallback: z.string().optional(),
  /** Every snapshot that this release was about to make: those, and no other, are its to remove. */
  snapshots: z.array(z.string()).optional(),
  /** The file that a rollback exported last, more where there are, and how many rows are in all of them. */
  exported: z.strictObject({ rows: z.number(), file: z.string(), more: z.array(z.string()).optional() }).optional(),
  switchedAt: time.optional(),
  /** Milliseconds that clients were held at the last switchover, either way. */
  pauseMs: z.number().optional(),
});

const span = z.strictObject({
  verb: z.string(),
  step: z.string(),
  startedAt: time,
  endedAt: time,
  outcome: z.enum(['done', 'undone', 'failed']),
});

const act = z.strictObject({
  verb: z.enum([...verbs, 'preflight']),
  at: time,
  by: z.string(),
  reason: z.string().optional(),
});

export const journalRecord = z.strictObject({
  version: z.literal(journalVersion),
  environment: z.string(),
  /**
   * The environment's birth certificate: the same on every server and volume, in the databases and in Pulumi's state.
   */
  uid: z.uuid().optional(),
  /** Fencing token of the lease under which this was written. */
  token: z.int(),
  state: z.enum(states),
  live: colour,
  /** Release that the live colour carries. */
  liveRelease: z.string(),
  /** Counts colours made, for the names of volumes and folders; never reused. */
  generation: z.int(),
  /** Counts streams made, for the names of slots; never reused. */
  streams: z.int(),
  release: release.nullable(),
  stream: stream.nullable(),
  /** The stream that a switchover replaced, until it is taken away. */
  closing: stream.nullable(),
  operation: operation.nullable(),
  /** Of the release that walks by itself, or of the last one that did. */
  delivery: deliveryRecord.optional(),
  /** What was done in this release, for the history. */
  timeline: z.array(span),
  /** By store: flags as they were set there last. */
  flags: z.record(z.string(), z.record(z.string(), z.boolean())).optional(),
  /** Events for hooks that did not answer, to be delivered again with the ids that they have. */
  outbox: z.array(z.strictObject({ hook: z.string(), event: z.looseObject({ id: z.string() }) })).optional(),
  /** Snapshots of retained colours that `retire` kept, the oldest first. */
  archives: z
    .array(z.strictObject({ name: z.string(), release: z.string(), colour, major: z.int(), at: time }))
    .optional(),
  /** By hook: the thread in which its messages of a release are. */
  threads: z.record(z.string(), z.strictObject({ id: z.string(), release: z.string().optional() })).optional(),
  /** How old passwords are, and which rotation was declared. */
  credentials: credentialRecord.optional(),
  /** Who began which verb of it, and why. */
  acts: z.array(act).optional(),
});

export type Journal = z.output<typeof journalRecord>;
export type Release = z.output<typeof release>;
export type Stream = z.output<typeof stream>;
export type Span = z.output<typeof span>;
export type Archive = NonNullable<Journal['archives']>[number];
export type Act = z.output<typeof act>;
export type OperationRecord = z.output<typeof operation>;

export function newJournal(environment: string, live: Journal['live'], liveRelease: string, uid?: string): Journal {
  return {
    version: journalVersion,
    environment,
    ...(uid === undefined ? {} : { uid }),
    token: 0,
    state: 'single',
    live,
    liveRelease,
    generation: 1,
    streams: 0,
    release: null,
    stream: null,
    closing: null,
    operation: null,
    timeline: [],
  };
}
