import type { Environment } from '../../model/environment.ts';
import { tokenIn } from '../../model/journal-text.ts';
import { tlsOf } from '../../model/server-kinds.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { readSecret, secretName } from '../external/secret.ts';
import type { DrillStore } from '../port/drills.ts';
import type { HistoryStore } from '../port/history.ts';
import type { JournalStore } from '../port/journal.ts';
import type { LeaseStore } from '../port/leases.ts';
import { postgresStores } from '../postgres-journal/stores.ts';
import { LocalDrills } from './drills.ts';
import { LocalHistory } from './history.ts';
import { LocalJournal } from './journal.ts';
import { LocalLeases } from './leases.ts';
import type { Places } from './places.ts';

/** What is known of an environment, wherever it is kept. */
export interface Stores {
  readonly journal: JournalStore;
  readonly leases: LeaseStore;
  readonly history: HistoryStore;
  readonly drills: DrillStore;
  /** Puts aside what undoing needs where a disk is full. */
  keepReserves(): Promise<void>;
  /** All of it goes; files go with the environment's folder. */
  forget(): Promise<void>;
  /** Gives up the connection that it keeps. */
  close(): Promise<void>;
}

/** As the declaration has it: files of this machine, or tables of a third server. */
export async function storesOf(environment: Pick<Environment, 'name' | 'journal'>, places: Places): Promise<Stores> {
  const settings = await journalSettings(environment);
  if (!settings) return fileStores(places);
  return { ...postgresStores(settings, environment.name), keepReserves: () => Promise.resolve() };
}

/** Of the server that has the journal; undefined where it is in files. */
export async function journalSettings({
  journal: declared,
}: Pick<Environment, 'journal'>): Promise<ConnectionSettings | undefined> {
  if (declared?.kind !== 'postgres') return undefined;
  const { host = '', port = 5432, database = '', user = '', password } = declared;
  const secret = password && { password: await readSecret(password), passwordFrom: secretName(password) };
  return { host, port, database, user, ...secret, ...tlsOf(declared) };
}

function fileStores(places: Places): Stores {
  const journal = new LocalJournal(places.journal);
  const leases = new LocalLeases(places.leases, async () => tokenIn((await journal.read())?.text));
  return {
    journal,
    leases,
    history: new LocalHistory(places.history),
    drills: new LocalDrills(places.exports),
    keepReserves: async () => void (await Promise.all([journal.keepReserve(), leases.keepReserve()])),
    forget: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
