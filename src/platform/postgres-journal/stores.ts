import { tokenIn } from '../../model/journal-text.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { DrillStore } from '../port/drills.ts';
import type { HistoryStore } from '../port/history.ts';
import type { JournalStore } from '../port/journal.ts';
import type { LeaseStore } from '../port/leases.ts';
import { JournalDatabase } from './database.ts';
import { PostgresDrills } from './drills.ts';
import { PostgresHistory } from './history.ts';
import { PostgresJournal } from './journal.ts';
import { PostgresLeases } from './leases.ts';

export interface PostgresStores {
  readonly journal: JournalStore;
  readonly leases: LeaseStore;
  readonly history: HistoryStore;
  readonly drills: DrillStore;
  /** Nothing of the environment is left there; its server and the tables stay. */
  forget(): Promise<void>;
  /** Gives up the one connection that all four share. */
  close(): Promise<void>;
}

const others = ['earlier', 'history', 'drill', 'lease'].map(
  (table) => `${table} AS (DELETE FROM verdigris_journal.${table} WHERE environment = $1)`,
);
const forget = `WITH ${others.join(', ')} DELETE FROM verdigris_journal.journal WHERE environment = $1`;

/**
 * What is known of an environment, on a server that is neither of its colours: for teams whose operators are
 * short-lived jobs. The role of `settings` may create a schema in that database, or finds the tables made and may use
 * them.
 */
export function postgresStores(settings: ConnectionSettings, environment: string): PostgresStores {
  const database = new JournalDatabase(settings);
  const journal = new PostgresJournal(database, environment);
  return {
    journal,
    leases: new PostgresLeases(database, environment, async () => tokenIn((await journal.read())?.text)),
    history: new PostgresHistory(database, environment),
    drills: new PostgresDrills(database, environment),
    forget: async () => void (await database.rows(forget, [environment])),
    close: () => database.close(),
  };
}
