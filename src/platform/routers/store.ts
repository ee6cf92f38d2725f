import type { Beat, WrittenRoute, RouteOrder, Sight } from '../../router/follow/route.ts';

/** A router's last word, and how long ago that was by the clock of where it is kept; for people, and before a hold. */
export interface SeenBeat extends Beat {
  readonly ageMs: number;
}

/** Where routers and operator meet: beside the journal. */
export interface RouteStore extends Sight {
  /**
   * Changes what all routers are to do; `first`: all of it, where nothing is written yet, and nothing otherwise. Safe to
   * repeat. @throws VerdigrisError `stale-token` where somebody newer has written.
   */
  write(token: number, change: Partial<RouteOrder>): Promise<WrittenRoute>;
  first(said: RouteOrder): Promise<void>;
  /** Has every router say which server answers there. */
  ask(id: string): Promise<void>;
  beats(): Promise<readonly SeenBeat[]>;
  /** Of one that has not said anything since `beat`. */
  drop(id: string, beat: string): Promise<void>;
  /** All of it goes. */
  forget(): Promise<void>;
  close(): Promise<void>;
}
