import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { commandLoad } from './command-load.ts';
import type { KnownStatement } from './known-statements.ts';
import type { Load } from './load.ts';
import { statementsLoad } from './statements-load.ts';
import { syntheticLoad } from './synthetic.ts';
import { touchedTables } from './touched.ts';

export interface LoadChoice {
  readonly client: Client;
  readonly as: (role: string) => ConnectionSettings;
  /** The application's role that commands and synthetic clients are. */
  readonly role: string;
  /** The project's own command, where given. */
  readonly command: string | undefined;
  /** The live database's statements, or why there are none. */
  readonly known: readonly KnownStatement[] | string;
  readonly major: number;
  readonly clients: number;
  readonly rate: number;
  /** Texts of the migrations, as far as they can be read. */
  readonly texts: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * The project's command; else the live database's own statements; else reads and updates that are made up from the
 * tables.
 */
export async function chooseLoad(choice: LoadChoice): Promise<Load> {
  const { client, as, role, command, known, major, clients, rate, signal, texts } = choice;
  if (command !== undefined) return commandLoad(client, command, as(role), signal);
  const reason = typeof known === 'string' ? known : await statementsLoad({ as, known, major, clients, rate });
  if (typeof reason !== 'string') return reason;
  const load = await syntheticLoad(client, { as, role, clients, rate, touched: await touchedTables(client, texts) });
  return { ...load, detail: `${load.detail} (${reason})` };
}
