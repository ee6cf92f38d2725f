import type { Environment } from '../../model/environment.ts';
import { routerTables } from '../postgres-journal/tables.ts';
import type { RouteStore } from '../routers/store.ts';
import type { Places } from './places.ts';
import { journalSettings } from './stores.ts';

/** Where routers that follow the journal read: beside it. */
export async function routeStore(
  environment: Pick<Environment, 'name' | 'journal'>,
  places: Places,
): Promise<RouteStore> {
  const settings = await journalSettings(environment);
  if (!settings) {
    const { FileRoutes } = await import('../routers/files.ts');
    return new FileRoutes(places.routers);
  }
  const { TableRoutes } = await import('../routers/table.ts');
  const { JournalDatabase } = await import('../postgres-journal/database.ts');
  return new TableRoutes(new JournalDatabase(settings, routerTables), environment.name);
}
