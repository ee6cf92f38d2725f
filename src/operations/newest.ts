import { colours, type Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { leaseLost } from '../model/failures.ts';
import type { Environment } from '../model/environment.ts';
import type { Lease } from '../platform/port/leases.ts';
import type { Platform } from '../platform/port/platform.ts';
import { withOwnSession } from '../postgres/session.ts';
import { markToken, noteActed, type SeenTokens } from '../postgres/token.ts';
import { connectionIn } from '../platform/connection-in.ts';

/** Milliseconds that a colour has to answer: one that hangs must not keep a recovery from letting clients go. */
export const markLimit = 3_000;

export interface Marks {
  readonly lease: Lease;
  /** By colour that answered, before this lease was marked there. */
  readonly seen: readonly (SeenTokens & { readonly colour: Colour })[];
}

/**
 * Takes the lease and marks it in both databases before anybody reads the journal. A lease whose number is smaller than
 * what a database has seen, because the folder of leases is an older one, is taken again above it.
 */
export async function takeNewest(
  parts: { readonly environment: Environment; readonly platform: Platform },
  acquire: (above?: number) => Promise<Lease>,
): Promise<Marks> {
  for (let above: number | undefined; ;) {
    const lease = await acquire(above);
    const seen = await mark(parts, lease.token);
    const newest = Math.max(0, ...seen.map(({ token }) => token));
    if (newest <= lease.token) return { lease, seen };
    if (!(await lease.renew())) throw leaseLost();
    if (above === newest) throw leaseLost();
    await lease.release();
    above = newest;
  }
}

async function mark(
  { environment, platform }: { readonly environment: Environment; readonly platform: Platform },
  token: number,
): Promise<Marks['seen']> {
  const each = async (colour: Colour): Promise<Marks['seen']> => {
    if (!(await platform.servers.observe(colour))?.running) return [];
    const settings = await connectionIn(platform.servers, colour, environment.database);
    const seen = await withOwnSession(settings, 'lease', (client) => markToken(client, token), markLimit);
    return seen ? [{ ...seen, colour }] : [];
  };
  const bounded = (colour: Colour): Promise<Marks['seen']> => {
    const late = Promise.withResolvers<Marks['seen']>();
    const timer = setTimeout(() => late.resolve([]), markLimit);
    // One that is down, starting or in the middle of an upgrade is marked by the first act on it.
    return Promise.race([each(colour).catch(() => []), late.promise]).finally(() => clearTimeout(timer));
  };
  return (await Promise.all(colours.map(bounded))).flat();
}

/** Throws `journal-older` where a database has seen acts of a journal that is newer than this one. */
export function requireNewest(token: number, seen: Marks['seen']): void {
  const newer = seen.filter(({ acted }) => acted > token);
  if (newer.length === 0) return;
  const since = newer.map(({ colour, acted }) => `${colour} has been worked on under token ${acted}`).join(', ');
  throw new VerdigrisError('journal-older', {
    seen: `The journal was written under token ${token}; ${since}.`,
    required: 'the newest journal: an older one may say that the wrong colour takes writes.',
    next: 'nothing was changed. Restore the newest journal if there is one; otherwise follow docs/operations/journal.md#journal-older.',
    facts: { token, seen: newer.map(({ colour, acted }) => ({ colour, acted })) },
  });
}

/**
 * At the end of a command that has written the journal, so that one from before it is known to be older. A colour that
 * is down learns it next time.
 */
export async function noteWritten(
  { environment, platform }: { readonly environment: Environment; readonly platform: Platform },
  live: Colour,
  token: number,
): Promise<void> {
  const settings = await connectionIn(platform.servers, live, environment.database);
  await withOwnSession(settings, 'lease', (client) => noteActed(client, token), markLimit);
}
