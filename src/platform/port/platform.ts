import type { Colour } from '../../model/colours.ts';
import type { Emit } from '../../model/events.ts';
import type { JobDeclaration, JobEnd } from '../../model/job.ts';
import type { Finding } from '../../model/finding.ts';
import type { Trace } from '../../model/birth.ts';
import type { RehearsalReport } from '../../migrations/rehearsal/report.ts';
import type { CredentialStore } from './credentials.ts';
import type { DrillStore } from './drills.ts';
import type { HistoryStore } from './history.ts';
import type { JournalStore } from './journal.ts';
import type { LeaseStore } from './leases.ts';
import type { Clone, Lifecycle } from './lifecycle.ts';
import type { Servers } from './servers.ts';
import type { Traffic } from './traffic.ts';

/**
 * What a place where PostgreSQL runs must give, put together from ports that do not know each other. Everything above
 * them is the same code on every platform. Every method is safe to call again after a crash: it ends in the same state
 * as one call.
 */
export interface Platform {
  /** As the declaration names it. */
  readonly kind: 'local' | 'kubernetes';
  /** Name of the environment. */
  readonly environment: string;
  /** Where the colours run. */
  readonly servers: Servers;
  /** Where the clients come in. */
  readonly traffic: Traffic;
  /** What is being done, and which colour is live. */
  readonly journal: JournalStore;
  /** Who does it. */
  readonly leases: LeaseStore;
  /** What was done. */
  readonly history: HistoryStore;
  /** Whether the way back has been tried. */
  readonly drills: DrillStore;
  /** What clients log in with. */
  readonly credentials: CredentialStore;
  /** How the environment itself comes and goes. */
  readonly lifecycle: Lifecycle<Platform>;
  /** Everything that says that the environment exists, besides the journal and the databases. */
  remains(): Promise<Trace[]>;
  /**
   * Writes the environment's uid on those that bear none; left out where a server's database is all that can bear one.
   */
  certify?(uid: string): Promise<void>;
  /** What long waits are for is emitted as notes. */
  listen?(emit: Emit): void;
  /**
   * What on this platform speaks against a release, and no database shows; with `seeding`, what making a candidate
   * needs besides.
   */
  findings?(seeding: boolean): Promise<Finding[]>;
  /**
   * Uses once, by new connections, all that is used behind the commit point of a switchover, and says what cannot be
   * used.
   */
  unusable?(behind: Behind): Promise<Finding[]>;
  /** Room on each disk that the environment writes to, in bytes; a platform that cannot see it has no such method. */
  space?(): Promise<readonly DiskSpace[]>;
  /** Reports of the rehearsals that were kept, the newest last; a platform on which none is made has no such method. */
  rehearsals?(): Promise<readonly RehearsalReport[]>;
  /**
   * Leaves the password of `verdigris_reader` where `readerConnection` finds it, and names the place; left out where
   * none is needed.
   */
  keepReader?(password: string): Promise<string>;
  /**
   * Runs a Job of the project's once for an `id`, for `limit` ms at most: whoever asks again waits for the one that
   * runs. Left out where there is no cluster.
   */
  readonly runJob?: (
    id: string,
    job: JobDeclaration,
    env: Readonly<Record<string, string>>,
    limit: number,
    signal: AbortSignal,
  ) => Promise<JobEnd>;
  /**
   * Changes a key of a ConfigMap of the namespace, where nobody else changed it meanwhile; throws where there is none.
   * Left out where there is no cluster.
   */
  readonly changeConfig?: (name: string, key: string, change: (text: string) => string) => Promise<void>;
  /** The approval that is written on the environment's objects; left out where there are none. */
  readonly annotatedApproval?: () => Promise<AnnotatedApproval | undefined>;
  /** A new file for the operator, in a place that outlives the release. */
  exportFile(name: string): Promise<string>;
  /** Removes what a command that was killed left beside the environment; called under the lease. */
  tidy?(): Promise<void>;
  /** Gives up the connections that it keeps; a command whose platform has this does not end before it is called. */
  close?(): Promise<void>;
}

/** `value`: the digest of the release that was looked at, and `/2` for the second step `approve`. */
export interface AnnotatedApproval {
  readonly value: string;
  readonly by: string;
  readonly reason?: string | undefined;
}

export type PlatformClone = Clone<Platform>;

export interface DiskSpace {
  /** `journal`, or the colour whose data lie there. */
  readonly place: 'journal' | Colour;
  readonly free: number;
  readonly total: number;
  readonly readOnly?: boolean;
}

/** Between which colours a switchover would move writes. */
export interface Behind {
  readonly live: Colour;
  /** The other one, where it runs. */
  readonly idle: Colour | undefined;
  /** Right before the hold: what replication does not carry was carried, and readers were taken back from a canary. */
  readonly carried: boolean;
}
