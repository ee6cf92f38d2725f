import { z } from 'zod';
import type { Colour } from '../model/colours.ts';
import { liveSchema, tokenSchema, upstreamSchema, weightsSchema, type Upstream, type Weights } from './config.ts';

const milliseconds = z
  .int()
  .min(0)
  .max(24 * 3_600_000);
const empty = z.strictObject({});

/** Bodies of the control requests. Every one that changes something carries the fencing token of its caller's lease. */
export const requestSchemas = {
  hold: z.strictObject({ token: tokenSchema, budgetMs: milliseconds, leaseMs: milliseconds }),
  renew: z.strictObject({ token: tokenSchema, leaseMs: milliseconds }),
  route: z.strictObject({ token: tokenSchema, live: liveSchema, weights: weightsSchema }),
  resume: z.strictObject({ token: tokenSchema }),
  unseen: z.strictObject({ token: tokenSchema, everywhere: z.boolean() }),
  upstreams: z.strictObject({ token: tokenSchema, blue: upstreamSchema.nullable(), green: upstreamSchema.nullable() }),
  stop: empty,
} as const;

export type RouterRequest = keyof typeof requestSchemas;
export type Body<V extends RouterRequest> = z.output<(typeof requestSchemas)[V]>;

export type SessionState = 'connecting' | 'idle' | 'active' | 'transaction' | 'waiting' | 'detached';

export interface SessionFacts {
  readonly user: string;
  readonly applicationName: string;
  readonly database: string;
  /** Of the server's process; null while there is none. */
  readonly pid: number | null;
  readonly colour: Colour;
  readonly state: SessionState;
  /** When that state began. */
  readonly since: string;
}

export interface HoldFacts {
  readonly token: number;
  readonly since: string;
  readonly expires: string;
}

/** Why a colour's server cannot be reached; null where it can. */
export type RouterReach = Readonly<Partial<Record<Colour, string | null>>>;

export interface RouterStatus {
  readonly environment: string;
  readonly address: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: string;
  readonly live: Colour;
  readonly weights: Weights;
  readonly upstreams: Readonly<Record<Colour, Upstream | null>>;
  /** Highest fencing token seen. */
  readonly token: number;
  /** Also while the hold is still waiting for transactions to end. */
  readonly held: HoldFacts | null;
  /** By the colour that serves them, or will, and by state. */
  readonly sessions: Readonly<Record<Colour, Readonly<Record<SessionState, number>>>>;
  /** Sessions that a switchover will cut, and why. */
  readonly pinned: readonly (SessionFacts & { readonly pins: readonly string[] })[];
  readonly pinnedCount: number;
  /** Passed on since the router started. */
  readonly statements: Readonly<Record<Colour, { readonly reader: number; readonly writer: number }>>;
  /**
   * Statements shown to those who listen (`/reads`), and those that a listener did not take, since the router started.
   */
  readonly reads: { readonly shown: number; readonly dropped: number };
  /** Sessions that got another backend without noticing, since the router started. */
  readonly moves: number;
  /**
   * The longest that a client's statement or connection waited in the last hold, until a server had it; milliseconds.
   */
  readonly pauseMs: number;
}

export interface Held {
  /** From the call until no client was busy. */
  readonly waitedMs: number;
  readonly expires: string;
}
