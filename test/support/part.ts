import type { Client } from '../../src/postgres/client.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import type { Cut } from '../../src/postgres/part/cut.ts';
import { readLens } from '../../src/postgres/part/lens.ts';
import { readPart } from '../../src/postgres/part/read.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { connectionTo, withDatabase } from './postgres.ts';

/** A part of a database that `base` makes, in the eyes of a release's own session. */
export async function withPart(
  base: string,
  tables: readonly string[],
  use: (own: Client, part: Cut) => Promise<void>,
): Promise<void> {
  await withDatabase(async (client, server) => {
    await client.query(base);
    const settings = connectionTo(server, 'test');
    const cut = await withOwnSession(settings, 'test', async (own) => {
      await ensureControlSchema(own);
      return (await readPart(own, tables)).cut;
    });
    const lens = await withOwnSession(settings, 'test', (own) => readLens(own, cut.carried));
    await withOwnSession({ ...settings, lens }, 'test', (own) => use(own, cut));
  });
}
