import { z } from 'zod';
import { liveSchema, tokenSchema, weightsSchema } from '../config.ts';

/** What the operator has written down for all routers of an environment. */
export const saidSchema = z.strictObject({
  live: liveSchema,
  weights: weightsSchema,
  /** Any statement may run code that changes its session. */
  unseen: z.boolean(),
  /** A hold is about to begin: look more often. */
  soon: z.boolean(),
  held: z.strictObject({ id: z.string(), since: z.string(), budgetMs: z.int() }).nullable(),
});

export const routeSchema = z.strictObject({
  /** Fencing token of whoever wrote it. */
  token: tokenSchema,
  /** Grows with each change. */
  seq: z.int().min(0),
  said: saidSchema,
});

export type RouteOrder = z.output<typeof saidSchema>;
export type WrittenRoute = z.output<typeof routeSchema>;

/** What a router says of itself, again and again. */
export const beatSchema = z.strictObject({
  id: z.string(),
  /** For people. */
  address: z.string(),
  /** Another one each time. */
  beat: z.string(),
  /** For so long from the moment of this beat it may believe what it reads next; milliseconds. */
  trustMs: z.int(),
  /** The newest change that it has carried out. */
  applied: z.int(),
  /** Its last hold, by the id that the operator gave it. */
  hold: z
    .strictObject({ id: z.string(), held: z.boolean(), error: z.record(z.string(), z.unknown()).optional() })
    .nullable(),
  /** Which server answers its clients, to the question of that id. */
  answer: z
    .strictObject({
      ask: z.string(),
      found: z.strictObject({ started: z.string(), timeline: z.int(), readOnly: z.boolean() }).optional(),
      error: z.string().optional(),
    })
    .nullable(),
  /** Why clients could not be connected to a colour's server from there; null where they could, or while nobody has tried. */
  reach: z.strictObject({ blue: z.string().nullable(), green: z.string().nullable() }).partial().nullable(),
  clients: z.strictObject({ blue: z.int(), green: z.int() }),
  /** Why it does not do what the route says. */
  trouble: z.string().optional(),
});

export type Beat = z.output<typeof beatSchema>;

/** The routers' side of what the operator writes. */
export interface Sight {
  /** Durable, and seen by everybody, before `read` begins. */
  beat(beat: Beat): Promise<void>;
  /** Undefined where nothing was written yet. */
  read(): Promise<{ readonly route: WrittenRoute; readonly ask: string | undefined } | undefined>;
  /** It serves nobody any more. */
  leave(id: string): Promise<void>;
}

/** Before the environment was made, and after it was destroyed. */
export function noRoute(): Error {
  return new Error('nobody has written which colour is live: `verdigris create` does');
}
