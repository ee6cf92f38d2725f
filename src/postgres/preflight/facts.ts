import type { CheckLimits } from './limits.ts';

/** The moment a check runs at: before seeding, before the release's migrations, before the switchover or rollback. */
export type Gate = 'seed' | 'migrate' | 'switch';

/** Which of the two servers the client of a check talks to. */
export type Side = 'live' | 'candidate';

/** What preflight knows beside the database: from the declaration, the platform and the operation that asks. */
export interface PreflightFacts {
  /** The environment's name, for the texts. */
  readonly environment: string;
  readonly side: Side;
  readonly gate: Gate;
  /** Verdigris's own role; its sessions are no strangers. */
  readonly operator: string;
  readonly roles: {
    /** Roles that the applications log in as; the fence acts on them. */
    readonly application: readonly string[];
    /** Roles whose connections may be sent to the candidate during the canary. */
    readonly readers: readonly string[];
  };
  /** Databases of the server that may be left out of a release; empty where nothing is known. */
  readonly ignoreDatabases?: readonly string[];
  /** Others that the candidate has as they are, or will have: copies of which nothing is lost. */
  readonly copiedDatabases?: readonly string[];
  /** All that the release carries; left out where it is the one of the session. */
  readonly databases?: readonly string[];
  readonly limits: CheckLimits;
  /** The release has migrations to run on the candidate. */
  readonly migrates?: boolean;
  /** The candidate is about to be made by statements and rows, and not from files. */
  readonly byRows?: boolean;
  /** Major of the candidate's binaries; above the live one's where the release upgrades. */
  readonly candidateMajor: number;
  /** True where apply runs as the subscription's owner (`run_as_owner`); before PostgreSQL 16 it always does. */
  readonly runAsOwner: boolean;
  /** What the release takes of the server it is asked about, at its most. */
  readonly needs: Needs;
  /** From the platform; undefined where it cannot tell. */
  readonly walOnOtherVolume?: boolean;
  /** Tables, quoted and qualified, that the other colour does not have: they are not replicated, whatever they lack. */
  readonly oneSided?: readonly string[];
  /** The platform takes one snapshot of all volumes at one instant. */
  readonly groupSnapshot?: boolean;
  /**
   * Extensions that the candidate's image can create, with each version it can bring up; undefined where unknown before
   * it runs.
   */
  readonly candidateExtensions?: Readonly<Record<string, readonly string[]>>;
}

/** Places taken on a server. Sources: PostgreSQL docs, "Logical Replication / Configuration Settings". */
export interface Needs {
  readonly slots: number;
  readonly senders: number;
  /** Apply workers; with copy_data off there are no table synchronisation workers. */
  readonly logicalWorkers: number;
  readonly origins: number;
}

/**
 * One forward slot and sender while the release is being prepared, one apply worker and origin after the switchover,
 * when the same server receives the reverse replication. A second slot: on the candidate the witness of a comparison has
 * it beside the reverse slot, on the old live colour the copy of the forward slot that stays as a witness. Backup mode
 * takes one slot and one sender more.
 */
export const releaseNeeds: Needs = { slots: 2, senders: 1, logicalWorkers: 1, origins: 1 };
