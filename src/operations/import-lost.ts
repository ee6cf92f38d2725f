import { databaseOf, importLost } from '../postgres/import-lost.ts';
import type { Context } from './engine/context.ts';
import { insideOf } from './engine/each.ts';

/** Brings the rows of an export back into the database that they are of, on the live colour. */
export async function importInto(c: Context, file: string): Promise<{ rows: number; tables: number }> {
  const database = await databaseOf(file);
  const inside = insideOf(c, database);
  return inside.asWriter(inside.live, (client) => importLost(client, file, database));
}
