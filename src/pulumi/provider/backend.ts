import type { Environment } from '../../model/environment.ts';
import type { Colour } from '../../model/colours.ts';
import type { Emit } from '../../model/events.ts';
import type { Standing } from '../../manifests/lives.ts';
import type { Preview } from '../../operations/reads/preview.ts';
import type { ClusterAccess } from '../../platform/kubernetes/kubeconfig.ts';
import type { LastSnapshot } from '../../platform/kubernetes/lifecycle/destroy.ts';
import type { Identity } from '../../platform/kubernetes/identity.ts';

/** An environment as it is. */
export interface ObservedEnvironment {
  readonly state: string;
  readonly live: Colour;
  readonly release: string;
  /** Where the Service for writes points; another colour than `live` where somebody changed it by hand. */
  readonly routed: string | undefined;
  /** Per cent of the readers on the candidate, while there is a canary. */
  readonly canary: number | undefined;
  readonly address: string;
  readonly pauseMs: number | undefined;
  /** What somebody changed by hand, in words. */
  readonly drift: readonly string[];
  /** What a release is at that the next update goes on with; undefined where none is left for it. */
  readonly walking?: string | undefined;
  readonly identity: Identity;
}

/** What the engine's state knows of an environment that it made, and how to have it forget that. */
export interface KnownByState {
  readonly identity: Identity;
  /** In words, for who reads why nothing was done. */
  readonly forget: string;
}

/**
 * What the resource does to the world: the operations, and nothing beside them. With `known` the engine says that the
 * environment exists: where it is not there, or another one, everything throws `journal-lost`, `other-environment` or
 * `other-cluster` and does nothing.
 */
export interface ResourceBackend {
  /** What a plan begins from; undefined where there is no environment. Reads objects of the cluster. */
  standing(environment: Environment): Promise<Standing | undefined>;
  /** Whether an environment that is not there yet has begun to be made. */
  begun(environment: Environment): Promise<boolean>;
  /**
   * Throws what would keep an environment from being made: rights, kinds and classes that the cluster lacks, a
   * namespace. Reads only.
   */
  requireFit(environment: Environment): Promise<void>;
  /** Undefined where there is no environment. Reads objects of the cluster and opens no connection to a database. */
  observe(environment: Environment, known?: KnownByState): Promise<ObservedEnvironment | undefined>;
  /** The plan from what is to what is declared. Its connections cannot write. */
  preview(environment: Environment, known?: KnownByState): Promise<Preview>;
  /** Makes the environment where there is none, corrects what was changed by hand, and releases as declared. */
  apply(environment: Environment, raw: unknown, emit: Emit, signal: AbortSignal, known?: KnownByState): Promise<void>;
  /** What an environment was last declared as. */
  recall(namespace: string, name: string): Promise<Record<string, unknown> | undefined>;
  /** `known` undefined of one whose creation did not come to its end: what it has made goes. */
  destroy(environment: Environment, known?: KnownByState): Promise<LastSnapshot[]>;
}

/** The backend of the cluster that is meant. */
export type OpenBackend = (access: ClusterAccess) => ResourceBackend;
