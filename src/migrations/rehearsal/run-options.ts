import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { MigrationEngine } from '../engine.ts';
import type { LoadChoice } from './choose-load.ts';

export interface RunOptions {
  /** The operator's, to the clone's database. */
  readonly connection: ConnectionSettings;
  readonly engine: MigrationEngine | undefined;
  /** `roles.owner` of the declaration. */
  readonly owner?: string | undefined;
  readonly release: string;
  /** Whose backfills are run too. */
  readonly folder: string | undefined;
  readonly limits: { readonly migrationLock: number; readonly migrationStatement: number };
  readonly load: Omit<LoadChoice, 'client'>;
  /** Milliseconds of load before the first migration: what latencies are compared with. */
  readonly warmUp: number;
  /** The clone's server log, where it can be read: for engines that run their statements themselves. */
  readonly serverLog: string | undefined;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}
