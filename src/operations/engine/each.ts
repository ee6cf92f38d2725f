import type { Finding } from '../../model/finding.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Context } from './context.ts';
import { databasesUnfit } from './databases-unfit.ts';
import type { Step } from './operation.ts';

/** Runs `use` in each database that the release carries, one after another. What fails names the database. */
export async function oneByOne<T>(
  c: Context,
  use: (inside: Context) => Promise<T>,
  among: readonly Context[] = c.each,
): Promise<T[]> {
  const results: T[] = [];
  for (const inside of among) results.push(await named(inside, use));
  return results;
}

/**
 * As `oneByOne`, side by side, where clients wait. Ends when all have ended: what is undone afterwards must not be gone
 * on with.
 */
export async function sideBySide<T>(c: Context, use: (inside: Context) => Promise<T>): Promise<T[]> {
  return together(c.each, use);
}

async function together<T>(each: readonly Context[], use: (inside: Context) => Promise<T>): Promise<T[]> {
  const settled = await Promise.allSettled(each.map((inside) => named(inside, use)));
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** As `sideBySide`, where the others need what the first one carries for the whole server. */
export async function firstThenRest<T>(c: Context, use: (inside: Context) => Promise<T>): Promise<T[]> {
  const [first, ...rest] = c.each;
  if (!first) return [];
  return [await use(first), ...(await together(rest, use))];
}

/** A step of one database as one of all: killed between two of them it is run again in each, which does no harm. */
export function inEach(step: Step, how: typeof oneByOne = oneByOne): Step {
  return {
    ...step,
    run: async (c) => textInEach(c, await how(c, (inside) => step.run(inside))),
    ...(step.undo ? { undo: async (c) => void (await oneByOne(c, async (inside) => step.undo?.(inside))) } : {}),
  };
}

/**
 * What gates find in each database, by its name where it is not found in the first one alone; what several have, and what
 * is of the whole server, is said once. `use` is asked of all of them: what one refuses refuses the release.
 */
export async function findingsInEach(c: Context, use: (inside: Context) => Promise<Finding[]>): Promise<Finding[]> {
  if (c.each.length === 1) return use(c);
  const found = new Map<string, { readonly finding: Finding; readonly databases: string[] }>();
  for (const inside of c.each)
    for (const finding of await named(inside, use)) {
      const key = JSON.stringify([finding.id, finding.title, finding.objects]);
      const known = found.get(key) ?? { finding, databases: [] };
      known.databases.push(inside.environment.database);
      found.set(key, known);
    }
  const first = c.environment.database;
  return [...found.values()].map(({ finding, databases }) =>
    databases.every((name) => name === first)
      ? finding
      : { ...finding, title: `${[...new Set(databases)].join(', ')}: ${finding.title}` },
  );
}

/** The inside of a database by its name; without one the environment's first. */
export function insideOf(c: Context, database: string | undefined): Context {
  const found = c.each.find(({ environment }) => environment.database === (database ?? c.environment.database));
  if (found) return found;
  throw databasesUnfit(
    `The release does not carry the database ${String(database)}.`,
    `one of ${c.each.map(({ environment }) => environment.database).join(', ')}.`,
    'name one of them; nothing was changed.',
  );
}

/** What each step says, with the name of its database where there are several. */
export function textInEach(c: Context, said: readonly (string | void)[]): string | undefined {
  if (c.each.length === 1) return said[0] ?? undefined;
  return (
    c.each
      .flatMap(({ environment: { database } }, index) => (said[index] ? [`${database}: ${said[index]}`] : []))
      .join('; ') || undefined
  );
}

async function named<T>(inside: Context, use: (inside: Context) => Promise<T>): Promise<T> {
  if (!inside.isInside) return use(inside);
  return use(inside).catch((error: unknown) => {
    if (!(error instanceof VerdigrisError)) throw error;
    const { id, required, next, facts, cause } = error;
    const seen = `In the database ${inside.environment.database}: ${error.seen}`;
    throw new VerdigrisError(id, { seen, required, next, facts, cause });
  });
}
