import type { ShutOut } from '../../postgres/shut-out.ts';
import type { CredentialAge } from '../../model/credential-record.ts';
import type { Colour } from '../../model/colours.ts';
import type { DeliveryRecord } from '../../model/delivery-record.ts';
import type { Journal, OperationRecord } from '../../model/journal.ts';
import type { State, Transition } from '../../model/transitions.ts';
import type { DiskSpace } from '../../platform/port/platform.ts';
import type { TrafficStatus } from '../../platform/port/traffic.ts';
import type { BackfillStatus } from './backfill-status.ts';
import type { GateNow } from './gate.ts';

/** Something that is broken, or cannot be seen, and the command that repairs it. */
export interface Trouble {
  /** Stable, kebab-case. */
  readonly id: string;
  readonly seen: string;
  /** A command, or what a person does. */
  readonly repair: string;
}

export interface ColourStatus {
  readonly colour: Colour;
  readonly role: 'live' | 'candidate' | 'retained' | 'absent';
  readonly running: boolean;
  /** Of one that is absent: its server is one that others run, so that only what Verdigris keeps of it can be missing. */
  readonly elsewhere?: true | undefined;
  readonly version?: string | undefined;
  readonly release?: string | undefined;
  readonly bytes?: number | undefined;
  readonly connections?: number | undefined;
  /** Roles that a fence keeps out, or tables that it closes where only these move; undefined where it could not be asked. */
  readonly fenced?: number | undefined;
  readonly error?: string | undefined;
  /** False where somebody has dropped Verdigris's own schema, or a table of it. */
  readonly ownSchema?: boolean | undefined;
  /** Declared roles, of the live colour, of which nobody can log in. */
  readonly shutOut?: readonly ShutOut[] | undefined;
}

export interface ReplicationStatus {
  /** Where the release carries several. */
  readonly database?: string | undefined;
  readonly from: Colour;
  readonly to: Colour;
  readonly name: string;
  /** The state of the slot's WAL, or `missing`. */
  readonly slot: string;
  readonly applying: boolean;
  /** What is wrong with the subscription itself. */
  readonly subscription?: 'missing' | 'disabled' | undefined;
  /** Whether the markers that prove arrival are sent: without Verdigris's own schema there are none. */
  readonly marked?: boolean | undefined;
  /** Why not, in the server's words. */
  readonly applyError?: string | undefined;
  /** Bytes of WAL not yet confirmed by the other colour. */
  readonly lagBytes?: number | undefined;
  /** Age in seconds of the oldest change that is not confirmed, as the sender measures it; 0 when nothing is behind. */
  readonly lagSeconds?: number | undefined;
  readonly retainedBytes?: number | undefined;
}

export interface Status {
  readonly environment: string;
  readonly platform: string;
  readonly state: State;
  readonly guarantee: string;
  readonly live: Colour;
  readonly declaredLive: Colour;
  /** `drill`: of a drill, which takes its candidate away when it ends; of one that died `abandon` does. */
  readonly release?: { readonly from: string; readonly to: string; readonly drill?: true | undefined } | undefined;
  readonly operation?:
    | {
        readonly verb: string;
        readonly phase: OperationRecord['phase'];
        readonly step?: string | undefined;
        readonly since: string;
      }
    | undefined;
  readonly operator?: { readonly holder: string; readonly since: string } | undefined;
  readonly colours: readonly ColourStatus[];
  /** Of several databases the stream that is worst off. */
  readonly replication?: ReplicationStatus | undefined;
  /** One for each database, where the release carries several. */
  readonly replications?: readonly ReplicationStatus[] | undefined;
  /** Of a release whose writes have moved: until when `retire` wants to be asked twice. */
  readonly retained?:
    { readonly until: string; readonly mode: 'warm' | 'scaled-down'; readonly over: boolean } | undefined;
  readonly losslessRollback?: boolean | undefined;
  /**
   * Of a release that is migrated: what its schema takes and the other one does not. The first such row ends the
   * lossless rollback.
   */
  readonly endsRollback: readonly string[];
  /** Why it is not known, where it is not. */
  readonly backfills: readonly BackfillStatus[] | { readonly error: string };
  readonly traffic: TrafficStatus;
  /** Room on the disks; undefined where the platform cannot see it. */
  readonly disks?: readonly DiskSpace[] | undefined;
  readonly pauseMs?: number | undefined;
  readonly verification?: Journal['release'] extends infer R
    ? R extends { verification?: infer V }
      ? V
      : never
    : never;
  /**
   * Of a candidate that was verified: whether the comparison is still worth what it was. Undefined where there is none,
   * or it could not be asked.
   */
  readonly proof?: { readonly good: boolean; readonly seen: string } | undefined;
  /** What refuses the next step as both schemas are now: DDL of somebody else's, tables that replication left. */
  readonly refusals: readonly Trouble[];
  /** How old the passwords are, the oldest first. */
  readonly credentials: readonly CredentialAge[];
  /** Of the release that walks by itself, or of the last one that did. */
  readonly delivery?: DeliveryRecord | undefined;
  /** What is not as the state promises, the worst first. */
  readonly troubles: readonly Trouble[];
  readonly next: readonly Transition[];
  /** What refuses the step that moves the writes, as things are now; left out where it was not asked for. */
  readonly gate?: GateNow | undefined;
}
