import { randomUUID } from 'node:crypto';
import type { ConnectionSettings } from '../postgres/connection.ts';

/** What a workload does, to whom, and where it writes down what it was told. */
export interface WorkloadOptions {
  /** The address and role of the writers: the one that applications use, so that they see what applications see. */
  readonly writer: ConnectionSettings;
  readonly reader: ConnectionSettings;
  /** File of attempts and acknowledgements; replaced where it exists. */
  readonly logFile: string;
  /**
   * Colours by the names (`serverName`) of their servers, where the names do not end in them: an adopted server's.
   * Default none.
   */
  readonly servers?: Readonly<Record<string, string>>;
  /** Default 8. Half of them autocommit, half use explicit transactions; see `styleOf`. */
  readonly writers?: number;
  /** Default 4. */
  readonly readers?: number;
  /** Transactions per second of all writers together; default 300. */
  readonly rate?: number;
  /** Reads per second of all readers together; default 200. */
  readonly readRate?: number;
  /** Explicit transactions also call the sample's shop.place_order and shop.pay_order; default false. */
  readonly business?: boolean;
  /** Milliseconds after which the workload ends whatever happens; default 15 minutes. */
  readonly maxDuration?: number;
  /**
   * Milliseconds that a client waits for an answer before it gives the connection up; default 30 s, longer than any
   * switchover may take.
   */
  readonly answerLimit?: number;
}

/** The options with every default filled in and the run's own name: what the child process is told. */
export interface WorkloadPlan extends Required<WorkloadOptions> {
  /** Tells the rows of this run from those of earlier ones on the same database. */
  readonly run: string;
}

export function workloadPlan(options: WorkloadOptions): WorkloadPlan {
  return {
    servers: {},
    writers: 8,
    readers: 4,
    rate: 300,
    readRate: 200,
    business: false,
    maxDuration: 15 * 60_000,
    answerLimit: 30_000,
    ...options,
    run: randomUUID().slice(0, 13),
  };
}
