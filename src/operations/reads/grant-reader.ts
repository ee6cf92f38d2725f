import { colours, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { readersOf } from '../../postgres/readers.ts';
import { connectionIn } from '../../platform/connection-in.ts';

export interface Granted {
  readonly colours: readonly Colour[];
  /** Where its password was left; for people. */
  readonly password: string;
}

/**
 * As the operator: makes `verdigris_reader` on every server that runs, and leaves its password where processes that
 * only look find it.
 */
export async function grantReader(environment: Environment, platform: Platform): Promise<Granted> {
  const made: Colour[] = [];
  let password: string | undefined;
  for (const colour of colours) {
    if (!(await platform.servers.observe(colour))?.running) continue;
    const connection = await connectionIn(platform.servers, colour, environment.database);
    const { reader } = await withOwnSession(connection, 'grant', (client) => readersOf(client, connection));
    made.push(colour);
    password = reader.password;
  }
  const where = password === undefined ? undefined : await platform.keepReader?.(password);
  return { colours: made, password: where === undefined ? 'it needs no password here' : `its password is in ${where}` };
}
