import type { Colour } from '../../model/colours.ts';
import type { Finding } from '../../model/finding.ts';
import type { SeenRead } from '../../model/seen-read.ts';

/** The clients' path. Writes go to one colour; only reads are weighted. */
export interface Traffic {
  /** As it is now; asking changes nothing. */
  status(): Promise<TrafficStatus>;
  /** The same, by logins that can only look; left out where `status` takes no others. */
  readerStatus?(): Promise<TrafficStatus>;
  /**
   * Does beforehand, while nobody waits, what `hold` would otherwise do first: opening connections. May be left out.
   */
  prepare?(token: number): Promise<void>;
  /**
   * Holds the clients of the live colour: waits until none of them is in a transaction. Where that takes longer than
   * `budget` milliseconds, lets them go on and throws `pause-timeout` with the blockers. A hold that is not renewed
   * within `lease` milliseconds ends by itself (the platform's dead man's limit runs the recovery).
   */
  hold(token: number, budget: number, lease: number): Promise<void>;
  /** Makes the hold last `lease` ms from now; throws where none is on. */
  renew(token: number, lease: number): Promise<void>;
  /**
   * Whether any statement of the clients may run code that changes its session. Left out where clients' sessions are not
   * carried over.
   */
  unseen?(token: number, everywhere: boolean): Promise<void>;
  /** Writes, and reads but for `canary` per cent, go to `live`; those per cent to the other colour. */
  route(token: number, live: Colour, canary: number): Promise<void>;
  /** What keeps a share of the readers from going to the other colour here; left out where nothing can. */
  weightFindings?(): Promise<Finding[]>;
  /** Has the readers' connections made again, where a route that moved leaves established ones alone. */
  respread?(): Promise<void>;
  /** Asks through the clients' own path, past the hold, who answers there. */
  probe(): Promise<ProbeAnswer>;
  /** Lets the clients go on, wherever `route` points. Harmless where nobody is held. */
  resume(token: number): Promise<void>;
  /**
   * Statements that clients of the live colour read by, so many per cent of them, until the signal. No client waits for
   * that, and what is not taken at once is left out. Left out where the clients' path does not see statements.
   */
  reads?(share: number, signal: AbortSignal): AsyncIterable<SeenRead>;
  /** Makes the servers that exist now known to the clients' path; to be called after one came or went. */
  refresh(token: number): Promise<void>;
}

export interface TrafficStatus {
  /** For people: `127.0.0.1:5432`. */
  readonly address: string;
  /** False only where it was seen that nobody is taken there. */
  readonly running: boolean;
  /**
   * Why nobody is taken, or why the path could not be asked while something runs there: then all but the address is
   * unknown.
   */
  readonly trouble?: PathTrouble;
  readonly live?: Colour;
  readonly canary?: number;
  /** `since` is absent where nobody noted it: whoever held them was not Verdigris. */
  readonly held?: { readonly since?: string | undefined; readonly token: number } | undefined;
  /** Clients connected, by the colour that serves them. */
  readonly clients?: Readonly<Partial<Record<Colour, number>>>;
}

export interface PathTrouble {
  /** Reads on after "the clients' path is down: " or "… could not be asked: ". */
  readonly seen: string;
  readonly repair: string;
}

export interface ProbeAnswer {
  readonly colour: Colour;
  readonly timeline: number;
  readonly writable: boolean;
}
