import { allDatabases, furtherDatabases } from '../../model/further-databases.ts';
import type { Environment } from '../../model/environment.ts';
import type { VerdigrisError } from '../../model/errors.ts';
import { carriedDatabases } from '../../model/journal-inside.ts';
import { rows } from '../../postgres/client.ts';
import type { Context } from '../engine/context.ts';
import { databasesUnfit } from '../engine/databases-unfit.ts';

/** What a release of several databases needs besides, before anything is made. */
export async function requireDatabases(c: Context): Promise<void> {
  const declared = furtherDatabases(c.environment);
  if (declared.length === 0) return;
  const there = await c.on(c.live, (client) =>
    rows<{ name: string }>(client, 'SELECT datname AS name FROM pg_database WHERE datallowconn'),
  );
  const missing = declared.filter((name) => !there.some((each) => each.name === name));
  if (missing.length > 0)
    throw unfit(
      `${c.live} has no database ${missing.join(', ')}.`,
      'all that are declared in `databases`',
      'create what is missing, or take its name out of the declaration',
    );
}

/**
 * Before a verb goes on with a release: which databases it carries was decided when it was seeded, and one that is
 * declared since was never copied.
 */
export function requireSameDatabases({ environment, journal }: Context): void {
  if (journal.release === null) return;
  const declared = furtherDatabases(environment).toSorted();
  const carried = carriedDatabases(journal).toSorted();
  if (declared.join('\0') === carried.join('\0')) return;
  throw unfit(
    `The release under way carries ${[environment.database, ...carried].join(', ')}; declared are ${allDatabases(environment).join(', ')}.`,
    'the databases that it was seeded with, until it has ended',
    'declare them as they were, or run `verdigris abandon` before the switchover',
  );
}

/** What has been tried with one database only is not begun with several. */
export function requireOneDatabase(environment: Environment, what: string): void {
  const all = allDatabases(environment);
  if (all.length === 1) return;
  throw unfit(
    `${what} of ${all.join(', ')} was asked for.`,
    `one database: ${what} does not work with several yet`,
    'see docs/databases.md for what does',
  );
}

function unfit(seen: string, required: string, next: string): VerdigrisError {
  return databasesUnfit(seen, `${required}.`, `${next}; nothing was changed.`);
}
