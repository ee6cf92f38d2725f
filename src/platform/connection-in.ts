import type { Colour } from '../model/colours.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import type { Servers } from './port/servers.ts';

/** The operator's connection to a database of a colour. */
export async function connectionIn(
  servers: Pick<Servers, 'connection'>,
  colour: Colour,
  database: string,
): Promise<ConnectionSettings> {
  return { ...(await servers.connection(colour)), database };
}
