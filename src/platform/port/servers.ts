import type { Colour } from '../../model/colours.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { Locale } from '../../postgres/create-like.ts';
import type { Upgrades } from './upgrades.ts';

/** Servers and their storage. */
export interface Servers {
  /** What is there, without opening a database connection. Undefined where the colour does not exist. */
  observe(colour: Colour): Promise<ServerObservation | undefined>;
  /** The operator's connection: superuser, bypassing the clients' path. */
  connection(colour: Colour): Promise<ConnectionSettings>;
  /**
   * As `verdigris_reader`, which can read and nothing else: for a process that never holds a credential that can write.
   */
  readerConnection(colour: Colour): Promise<ConnectionSettings>;
  /** libpq keywords, without dbname, by which the *other* colour's server reaches this one for replication. */
  conninfo(colour: Colour): Promise<string>;
  /**
   * Password that the replication role is to have; undefined where all servers let it in without one, or no such
   * method.
   */
  replicationPassword?(): Promise<string | undefined>;
  /**
   * How a candidate comes to hold what `from` holds: `physical`, by a copy of its storage, which only servers allow
   * that Verdigris runs itself; `logical`, row by row; `standby`, by a physical standby of it that others have made.
   */
  seeding(from: Colour, to: Colour): 'physical' | 'logical' | 'standby' | 'prepared';
  /** Whether the colour's storage is Verdigris's own, so that snapshots of it can be made. */
  ownsStorage(colour: Colour): boolean;
  /**
   * Has a running server of the colour for a logical seed: a new one, or one that others run and that no release is
   * using. A platform that seeds physically only has no such method.
   */
  empty?(colour: Colour, options: EmptyOptions): Promise<void>;
  /**
   * Takes a physical standby that others run as the colour, without writing anything there. A platform that has none has
   * no such method.
   */
  follow?(colour: Colour, options: EmptyOptions): Promise<void>;
  /**
   * Makes a snapshot of a colour that serves on. A platform whose snapshots are not atomic calls `backup` and copies
   * the data inside it, and the write-ahead log after it: what is restored from then recovers to the end of the log
   * that was copied.
   */
  snapshot(colour: Colour, name: string, backup: BackupMode, onBytes: (bytes: number) => void): Promise<SnapshotFacts>;
  /**
   * Keeps what a colour holds that nobody needs any more, as a snapshot that outlives the release; the server is shut
   * down for it. False where its volume is not Verdigris's to keep. A platform that keeps none has no such method.
   */
  archive?(colour: Colour, name: string): Promise<boolean>;
  /** Also where it was never finished, or is not there. Says what of it stays all the same, where something does. */
  removeSnapshot(name: string): Promise<string | void>;
  /** Names of those that are there. */
  snapshots(): Promise<string[]>;
  /**
   * Makes a colour of a snapshot, started as a parked standby: standby.signal, nothing to stream or restore from, no
   * replication workers, archiving off. It replays what the snapshot holds, answers read-only, and waits.
   */
  restore(colour: Colour, snapshot: string, options: RestoreOptions): Promise<void>;
  /** Gives a promoted colour its ordinary settings and starts it with them. Archiving stays off until it is live. */
  unpark(colour: Colour): Promise<void>;
  /** Returns when it answers. Does nothing more where it runs. */
  start(colour: Colour): Promise<void>;
  /** Returns when it has ended. `generation`: as for `remove`; left out by who owns the environment. */
  stop(colour: Colour, mode: 'fast' | 'immediate', generation?: number): Promise<void>;
  /**
   * The colour and all its storage, where it still is what `observe` said of it: its generation, or undefined where
   * only remains are left to be tidied. Throws `other-generation` (busy) where it is something else by now. Of a server
   * that others run only what Verdigris made goes; `asBefore`: its roles become what they were before the release. Says
   * what is left, for people.
   */
  remove(colour: Colour, generation: number | undefined, asBefore?: AsBefore): Promise<string | void>;
  /** Runs pg_dump of the colour's own major beside its server, where the platform can; gives what it prints. */
  dumper?(colour: Colour): ((args: readonly string[]) => Promise<string>) | undefined;
  /** Ways to the standbys that may take over; a platform whose servers have none has no such method. */
  standbys?(colour: Colour): Promise<readonly ConnectionSettings[]>;
  /**
   * Roles whose passwords whoever runs both servers sets himself, alike: with another salt each time, so that equal
   * passwords are stored as different verifiers.
   */
  keptRoles?(colour: Colour): Promise<readonly string[]>;
  /**
   * Why this colour could not apply a change the last time, in its server's words; a platform that cannot read its log
   * has no such method.
   */
  applyError?(colour: Colour): Promise<string | undefined>;
  /** Facts that SQL does not show and preflight wants. */
  facts(colour: Colour): Promise<{ walOnOtherVolume: boolean }>;
  /** Major upgrades of a copy on its own volume; a platform that cannot has none. */
  readonly upgrades?: Upgrades;
  /** Whether a server of this major can be run here; throws with what to do where not. */
  supports(major: number): Promise<void>;
}

/** Of a candidate that is given up: roles whose passwords the release set where nobody can read what they were. */
export interface AsBefore {
  readonly passwordsOf: readonly string[];
  /** Streams of a seed that is undone: the databases that it filled are empty again, for the next one. */
  readonly undone?: readonly string[];
}

export interface EmptyOptions {
  readonly generation: number;
  readonly major: number;
  /** Of the live colour's database: one that is not there is made so. */
  readonly like?: Locale;
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
