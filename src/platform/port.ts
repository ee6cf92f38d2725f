import type { Colour } from '../model/colours.ts';
import type { Finding } from '../model/finding.ts';
import type { Environment } from '../model/environment.ts';
import type { Release } from '../model/journal.ts';
import type { Trace } from '../model/birth.ts';
import type { ConnectionSettings } from '../postgres/client.ts';

/**
 * What a place where PostgreSQL runs must give. Everything above this port is the same code on every platform.
 * Every method is safe to call again after a crash: it ends in the same state as one call.
 */
export interface Platform {
  readonly kind: 'local' | 'kubernetes';
  readonly environment: string;
  readonly servers: Servers;
  readonly traffic: Traffic;
  readonly journal: JournalStore;
  readonly leases: LeaseStore;
  readonly history: HistoryStore;
  readonly drills: DrillStore;
  /** Everything that says that the environment exists, besides the journal and the databases. */
  remains(): Promise<Trace[]>;
  /** Writes the environment's uid on those that bear none; left out where a server's database is all that can bear one. */
  certify?(uid: string): Promise<void>;
  /** What on this platform stands against a release, and no database shows; with `seeding`, what making a candidate needs besides. */
  findings?(seeding: boolean): Promise<Finding[]>;
  /** Uses once, by new connections, all that is used behind the commit point of a switchover, and says what cannot be used. */
  unusable?(behind: Behind): Promise<Finding[]>;
  /** Room on each disk that the environment writes to, in bytes; a platform that cannot see it has no such method. */
  space?(): Promise<readonly DiskSpace[]>;
  /** A new file for the operator, in a place that outlives the release. */
  exportFile(name: string): Promise<string>;
  /** Removes what a command that was killed left beside the environment; called under the lease. */
  tidy?(): Promise<void>;
  /**
   * A throw-away environment whose live colour is a copy, taken now, of `of`'s live colour. Whoever calls keeps the original's log
   * meanwhile, by a slot that is older.
   */
  clone(of: Environment, signal: AbortSignal): Promise<PlatformClone>;
  /** Gives up the connections that it keeps; a command whose platform has this does not end before it is called. */
  close?(): Promise<void>;
}

export interface DiskSpace {
  /** `journal`, or the colour whose data lie there. */
  readonly place: 'journal' | Colour;
  readonly free: number;
  readonly total: number;
}

export interface PlatformClone {
  readonly environment: Environment;
  readonly platform: Platform;
  /** Connects through the clone's own address, as a role of the declaration. */
  readonly as: (role: string) => ConnectionSettings;
  readonly destroy: () => Promise<void>;
}

/** Between which colours a switchover would move writes. */
export interface Behind {
  readonly live: Colour;
  /** The other one, where it runs. */
  readonly idle: Colour | undefined;
  /** Right before the hold: what replication does not carry was carried, and readers were taken back from a canary. */
  readonly carried: boolean;
}

/** Servers and their storage. */
export interface Servers {
  /** What is there, without opening a database connection. Undefined where the colour does not exist. */
  observe(colour: Colour): Promise<ServerObservation | undefined>;
  /** The operator's connection: superuser, bypassing the clients' path. */
  connection(colour: Colour): Promise<ConnectionSettings>;
  /** libpq keywords, without dbname, by which the *other* colour's server reaches this one for replication. */
  conninfo(colour: Colour): Promise<string>;
  /** Password that the replication role is to have; a platform whose servers let it in without one has no such method. */
  replicationPassword?(): Promise<string>;
  /**
   * Makes a snapshot of a colour that serves on. A platform whose snapshots are not atomic calls `backup` and copies the data
   * inside it, and the write-ahead log after it: what is restored from then recovers to the end of the log that was copied.
   */
  snapshot(colour: Colour, name: string, backup: BackupMode, onBytes: (bytes: number) => void): Promise<SnapshotFacts>;
  removeSnapshot(name: string): Promise<void>;
  snapshots(): Promise<string[]>;
  /**
   * Makes a colour of a snapshot, started as a parked standby: standby.signal, nothing to stream or restore from, no replication
   * workers, archiving off. It replays what the snapshot holds, answers read-only, and waits.
   */
  restore(colour: Colour, snapshot: string, options: RestoreOptions): Promise<void>;
  /** Gives a promoted colour its ordinary settings and starts it with them. Archiving stays off until it is live. */
  unpark(colour: Colour): Promise<void>;
  start(colour: Colour): Promise<void>;
  /** `generation`: as for `remove`; left out by who owns the environment. */
  stop(colour: Colour, mode: 'fast' | 'immediate', generation?: number): Promise<void>;
  /**
   * The colour and all its storage, where it still is what `observe` said of it: its generation, or undefined where only remains are
   * left to be tidied. Throws `other-generation` (busy) where it is something else by now.
   */
  remove(colour: Colour, generation: number | undefined): Promise<void>;
  /** Why this colour could not apply a change the last time, in its server's words; a platform that cannot read its log has no such method. */
  applyError?(colour: Colour): Promise<string | undefined>;
  /** Facts that SQL does not show and preflight wants. */
  facts(colour: Colour): Promise<{ walOnOtherVolume: boolean }>;
  /** Major upgrades of a copy on its own volume; a platform that cannot has none. */
  readonly upgrades?: Upgrades;
  /** Whether a server of this major can be run here; throws with what to do where not. */
  supports(major: number): Promise<void>;
}

export interface Upgrades {
  /** What stands in the way of an upgrade between these majors here, and what to do; undefined where nothing does. */
  obstacle(from: number, to: number): { readonly seen: string; readonly fix: string } | undefined;
  /** Makes a promoted copy a server of the major `to` by pg_upgrade, and starts it with its ordinary settings. Says what was left out. */
  run(colour: Colour, to: number): Promise<string>;
}

export interface RestoreOptions {
  readonly generation: number;
  /** The snapshot is not needed afterwards: a platform may move it instead of copying it. */
  readonly consume: boolean;
  readonly onBytes: (bytes: number) => void;
}

export interface ServerObservation {
  readonly running: boolean;
  readonly generation: number;
  readonly major: number;
  readonly version: string;
  /** That it was made for, where the platform writes that on it. */
  readonly release?: string;
}

/** Runs `copy` between pg_backup_start and pg_backup_stop and returns the backup_label that the copy needs. */
export type BackupMode = (copy: () => Promise<void>) => Promise<{ label: string }>;

export interface SnapshotFacts {
  readonly method: 'atomic' | 'reflink' | 'copy';
  readonly bytes: number;
}

/** The clients' path. Writes go to one colour; only reads are weighted. */
export interface Traffic {
  status(): Promise<TrafficStatus>;
  /** Does beforehand, while nobody waits, what `hold` would otherwise do first: opening connections. May be left out. */
  prepare?(token: number): Promise<void>;
  /**
   * Holds the clients of the live colour: waits until none of them is in a transaction. Where that takes longer than `budget`
   * milliseconds, lets them go on and throws `pause-timeout` with the blockers. A hold that is not renewed within `lease`
   * milliseconds ends by itself (the platform's dead man's limit runs the recovery).
   */
  hold(token: number, budget: number, lease: number): Promise<void>;
  renew(token: number, lease: number): Promise<void>;
  /** Writes, and reads but for `canary` per cent, go to `live`; those per cent to the other colour. */
  route(token: number, live: Colour, canary: number): Promise<void>;
  /** What keeps a share of the readers from going to the other colour here; left out where nothing can. */
  weighing?(): Promise<Finding[]>;
  /** Has the readers' connections made again, where a route that moved leaves established ones alone. */
  respread?(): Promise<void>;
  /** Asks through the clients' own path, past the hold, who answers there. */
  probe(): Promise<ProbeAnswer>;
  resume(token: number): Promise<void>;
  /** Makes the servers that exist now known to the clients' path; to be called after one came or went. */
  refresh(token: number): Promise<void>;
}

export interface TrafficStatus {
  /** For people: `127.0.0.1:5432`. */
  readonly address: string;
  readonly running: boolean;
  readonly live?: Colour;
  readonly canary?: number;
  readonly held?: { readonly since: string; readonly token: number } | undefined;
  /** Clients connected, by the colour that serves them. */
  readonly clients?: Readonly<Partial<Record<Colour, number>>>;
}

export interface ProbeAnswer {
  readonly colour: Colour;
  readonly timeline: number;
  readonly writable: boolean;
}

/** Compare-and-swap storage for one document. */
export interface JournalStore {
  /** Undefined where none was ever written. `where` names it for people. */
  read(): Promise<{ readonly revision: number; readonly text: string; readonly where: string } | undefined>;
  /**
   * Durable when it returns. Throws `journal-conflict` (busy) where the stored revision is not `expected`; 0 means none. `reserve`: this
   * write lets clients go or takes something back, and may use what is put aside for a full disk.
   */
  write(expected: number, text: string, reserve?: boolean): Promise<number>;
}

export interface LeaseStore {
  /**
   * Throws `lease-held` (busy) with holder and since where somebody else holds it and lives. `gone` is a token whose holder is known
   * to be gone, or to have let go of clients that he held: it is not waited for. The token is above `above` and that of the journal.
   */
  acquire(holder: string, gone?: number, above?: number): Promise<Lease>;
  /** Who holds it now. */
  holder(): Promise<{ readonly holder: string; readonly since: string } | undefined>;
}

export interface Lease {
  /** Grows with every acquisition; whoever has a smaller one is fenced off. */
  readonly token: number;
  /** False once somebody else has taken it. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/** One finished release. */
export interface HistoryEntry {
  readonly from: string;
  readonly to: string;
  readonly outcome: 'released' | 'abandoned' | 'rolled back';
  readonly startedAt: string;
  readonly endedAt: string;
  readonly pauseMs?: number | undefined;
  /** Every run of the migrations, those that failed too, with the file that holds all that the engine said. */
  readonly migrations?: Release['migrations'];
  readonly spans: readonly { verb: string; step: string; startedAt: string; endedAt: string; outcome: string }[];
}

export interface HistoryStore {
  append(entry: HistoryEntry): Promise<void>;
  list(): Promise<HistoryEntry[]>;
}

/** What came of a drill, for people, alerts and dashboards. */
export interface DrillOutcome {
  readonly ok: boolean;
  readonly startedAt: string;
  readonly seconds: number;
  /** What held, in the order in which it was proved. */
  readonly proved: readonly string[];
  /** Write pauses on the clones, in ms: switchover and rollback. */
  readonly pauseMs: readonly number[];
  /** Why it did not hold. */
  readonly error?: string | undefined;
}

export interface DrillStore {
  /** Also tells whoever watches the platform. `where` names the report for people. */
  record(outcome: DrillOutcome): Promise<{ readonly where: string }>;
  /** Undefined where none was ever recorded. */
  last(): Promise<DrillOutcome | undefined>;
}
