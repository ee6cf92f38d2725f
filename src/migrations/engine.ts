import type { Client } from '../postgres/client.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import type { PlannedStatement } from './data/plan.ts';
import type { Foresight } from './foreseen/judge.ts';
import type { Running } from './foreseen/needs/need.ts';
import type { PlannedShape } from './shapes/in-files.ts';
import type { DataPolicy } from './data/policy.ts';

/** One migration, as plans and histories name it. */
export interface Migration {
  readonly version: string;
  readonly name: string;
}

export interface MigrationTarget {
  readonly client: Client;
  readonly connection: ConnectionSettings;
  readonly release: string;
  /** As whom the files run; without it, as whoever is connected. */
  readonly owner?: string | undefined;
  /** Milliseconds, 0 for none. */
  readonly lockTimeout: number;
  readonly statementTimeout: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number, note: string) => void;
  /** Opens a session of a login that is made for the run; without it, one that nobody else has to know of. */
  readonly connect?: (<T>(settings: ConnectionSettings, use: (client: Client) => Promise<T>) => Promise<T>) | undefined;
  /** Beside what every login of a tool is set to: a rehearsal has a tool's statements logged. */
  readonly sessionSettings?: Readonly<Record<string, string>> | undefined;
  /** File that a tool's output is appended to. */
  readonly log?: string | undefined;
  /**
   * Runs the backfills whose version is below `version` and that are not complete. An engine that knows its files'
   * versions calls it before each, with the session that it runs its files in; whoever calls `apply` runs the rest
   * afterwards.
   */
  readonly backfillsBefore?: ((version: string, session: Client) => Promise<void>) | undefined;
  /** Where statements run that write rows; without it, all where the rest does: on a clone, or on the first colour. */
  readonly data?: DataPolicy | undefined;
}

/**
 * A tool that brings a schema from one release to the next. Obligations: `pending` changes nothing; `apply` may be run
 * again after any failure or kill and then goes on; a failure throws a VerdigrisError that names the migration and says
 * whether the candidate can be resumed.
 */
export interface MigrationEngine {
  readonly name: string;
  /**
   * What `apply` would run, in order. Throws for a folder that is missing or contradicts itself or the database's
   * history.
   */
  pending(client: Client): Promise<Migration[]>;
  /**
   * Runs what is pending inside the caller's transaction, on emptied tables and only as far as that can be done in a
   * transaction, so that the caller can read the catalogue it leads to and roll back. Undefined where the engine
   * cannot; throws `migration-effect-unknown` where these migrations do not let it. `say` gets what changes in stored
   * code; `looking` is asked what is pending: a tool's table is its owner's, and so is code in its indexes.
   */
  readonly rehearse?: (client: Client, say?: (text: string) => void, owner?: string, looking?: Client) => Promise<void>;
  /**
   * All that the folder holds, by its names: what is wrong in a file matters where that is to run (`pending`). Undefined
   * where only the engine's tool reads it.
   */
  readonly files?: () => Promise<Migration[]>;
  /** The statements of all its numbered files. Undefined where only the engine's tool reads them. */
  readonly texts?: () => Promise<string[]>;
  /**
   * Statements of what is pending that write rows, judged against a live colour. Undefined where only the engine's tool
   * reads its files.
   */
  readonly data?: (live: Client) => Promise<PlannedStatement[]>;
  /**
   * What the files that are pending do to the schema; all of them where no live colour can be asked. Undefined as
   * `data`.
   */
  readonly shapes?: (live?: Client) => Promise<PlannedShape[]>;
  /**
   * What the gates after a seed will say of the pending files for certain, and which statements will fail, read off them
   * and the live colour's catalogue. Undefined as `data`.
   */
  readonly foresee?: (live: Client, running: Running) => Promise<Foresight>;
  /** Whether a pending file asks to run as superuser. Undefined where only the engine's tool reads them. */
  readonly superuser?: (client: Client) => Promise<boolean>;
  apply(target: MigrationTarget): Promise<Migration[]>;
}
