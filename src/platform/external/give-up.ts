import type { Environment } from '../../model/environment.ts';
import { allDatabases } from '../../model/further-databases.ts';
import { operatorRole } from '../../model/names.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { readShape, giveShape, type DatabaseShape } from '../../postgres/database-shape.ts';
import { emptyAgain, filledBySeed, isReplaced, type FilledDatabases } from '../../postgres/logical-seed/empty-again.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { withOwnSession } from '../../postgres/session.ts';
import type { AsBefore } from '../port/servers.ts';
import type { ExternalRecord } from './record.ts';
import { leftWithRows, takeAwayInEach } from './take-away.ts';

/** What an environment's databases are like that are on a server, before it becomes a candidate. */
export async function readShapes(
  at: ConnectionSettings,
  environment: Environment,
): Promise<Record<string, DatabaseShape>> {
  return withOwnSession(at, 'adopt', async (client) => {
    const found: [string, DatabaseShape][] = [];
    for (const name of allDatabases(environment)) {
      const shape = await readShape(client, name);
      if (shape) found.push([name, shape]);
    }
    return Object.fromEntries(found);
  });
}

export interface GivenUp {
  readonly environment: Environment;
  /** To the environment's first database, as the operator's role. */
  readonly at: ConnectionSettings;
  readonly known: ExternalRecord;
  readonly asBefore: AsBefore | undefined;
  /** Before anything is dropped that says which databases a seed has filled. */
  readonly note: (filled: FilledDatabases) => Promise<void>;
}

/**
 * Takes away what Verdigris made on a server, and where a seed is undone makes the databases that it filled empty again,
 * and those that it has not come to as they were. Says what stays. Safe to run again after a death at any point.
 */
export async function giveUp({ environment, at, known, asBefore, note }: GivenUp): Promise<string[]> {
  const all = allDatabases(environment);
  const { databases = {}, before } = known;
  const filled = known.filled ?? (await filledBySeed(at, all, asBefore?.undone ?? [], databases));
  const names = Object.keys(filled);
  if (names.length > 0 && !known.filled) await note(filled);
  // Its own is the last that is dropped: all the rest was taken away before.
  const left =
    names.includes(at.database) && (await isReplaced(at, at.database, filled))
      ? [`the role ${operatorRole}`]
      : await takeAwayAll({ environment, at, before: asBefore && before && { ...before, ...asBefore } });
  if ((asBefore?.undone ?? []).length > 0)
    for (const [name, shape] of Object.entries(databases))
      if (!names.includes(name)) left.push(...(await asItWas({ ...at, database: name }, shape)));
  for (const database of names.toSorted((a, b) => all.indexOf(b) - all.indexOf(a))) {
    const { empty, refused } = await emptyAgain(at, database, filled);
    const place = left.indexOf(leftWithRows(database));
    if (empty && place >= 0) left.splice(place, 1, `the database ${database}, empty`);
    left.push(...refused.map((what) => notGivenBack(database, what)));
  }
  return left;
}

async function takeAwayAll({
  environment,
  at,
  before,
}: {
  readonly environment: Environment;
  readonly at: ConnectionSettings;
  readonly before: Parameters<typeof takeAwayInEach>[3];
}): Promise<string[]> {
  return withOwnSession(at, 'remove', async (client) =>
    (await serverIdentity(client)).inRecovery
      ? ['everything: it is still a standby, and keeps following']
      : takeAwayInEach(client, at, environment, before),
  );
}

/** One that a seed has not come to: what was carried of it before goes. */
async function asItWas(at: ConnectionSettings, shape: DatabaseShape): Promise<string[]> {
  const reshaping = withOwnSession(at, 'remove', (client) => giveShape(client, at.database, shape));
  const refused = await reshaping.catch((error: { code?: string }) => {
    // Its owner has dropped it since.
    if (error.code !== '3D000') throw error;
    return [];
  });
  return refused.map((what) => notGivenBack(at.database, what));
}

function notGivenBack(database: string, what: string): string {
  return `the database ${database} without ${what}, which this role could not give back`;
}
