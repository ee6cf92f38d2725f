import type { Colour } from '../../model/colours.ts';
import type { Client } from '../../postgres/client.ts';
import { hasControlSchema } from '../../postgres/control.ts';
import { majorOf } from '../../postgres/major.ts';
import { readColour, readEnvironment } from '../../postgres/token.ts';

/**
 * Which colour a server says itself that it is, and its major; undefined where it is none, or one of an environment with
 * another uid.
 */
export async function whichColour(
  client: Client,
  uid: string | undefined,
): Promise<{ colour: Colour | undefined; major: number } | undefined> {
  if (!(await hasControlSchema(client))) return undefined;
  // Written there by the first command.
  const environment = await readEnvironment(client);
  if (environment !== undefined && environment !== uid) return undefined;
  return { colour: await readColour(client), major: await majorOf(client) };
}
