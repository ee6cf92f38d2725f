import { randomUUID } from 'node:crypto';
import { otherEnvironment, strangers } from '../model/birth.ts';
import { withOwnSession } from '../postgres/session.ts';
import type { Environment } from '../model/environment.ts';
import { noteEnvironment } from '../postgres/token.ts';
import type { Platform } from '../platform/port/platform.ts';
import type { Ledger } from './engine/ledger.ts';
import { markLimit, type Marks } from './newest.ts';
import { connectionIn } from '../platform/connection-in.ts';

/**
 * Holds the journal's uid against what the databases, the servers and the volumes say, before anything is done, and
 * writes it where there is none yet: in an environment from before there were any, and on what was made since.
 * `serving`: clients may be held, and only what was asked of the databases anyway is looked at.
 */
export async function certify(
  { environment, platform }: { readonly environment: Environment; readonly platform: Platform },
  ledger: Ledger,
  seen: Marks['seen'],
  serving: boolean,
): Promise<void> {
  const { environment: name, uid } = ledger.journal;
  const found = [
    ...(serving ? [] : await platform.remains()),
    ...seen.map((each) => ({ what: `the database of ${each.colour}`, uid: each.environment ?? undefined })),
  ];
  const others = strangers(uid, found);
  if (others.length > 0 || name !== environment.name) throw otherEnvironment(environment.name, uid, others);
  if (serving) return;
  const own = uid ?? randomUUID();
  if (uid === undefined) await ledger.write((journal) => ({ ...journal, uid: own }));
  if (found.some((trace) => trace.uid === undefined)) await platform.certify?.(own);
  for (const { colour } of seen.filter((each) => each.environment === null)) {
    const settings = await connectionIn(platform.servers, colour, environment.database);
    await withOwnSession(settings, 'lease', (client) => noteEnvironment(client, own), markLimit);
  }
}
