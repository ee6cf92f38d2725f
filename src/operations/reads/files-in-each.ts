import type { Colour } from '../../model/colours.ts';
import { environmentInside, furtherDatabases } from '../../model/further-databases.ts';
import type { Migration } from '../../migrations/engine.ts';
import { declaredMigrations, toolOfFiles } from '../../migrations/engines/declared.ts';
import { plannedFiles } from './planned-files.ts';

type Parts = Parameters<typeof plannedFiles>[0];
type Files = Awaited<ReturnType<typeof plannedFiles>>;

/** The files that `candidate` declares for every database, and what they do there; a further one's bear its name. */
export async function filesInEach(parts: Parts, candidate: Colour): Promise<InDatabase> {
  const { environment } = parts;
  const [first, ...further] = await Promise.all([
    filesInside(parts, candidate),
    ...furtherDatabases(environment).map(async (database) =>
      named(
        database,
        await filesInside({ ...parts, environment: environmentInside(environment, database) }, candidate),
      ),
    ),
  ]);
  return further.reduce(joined, first ?? { migrations: [] });
}

type InDatabase = { readonly migrations: readonly Migration[]; readonly tool?: string } & Files;

async function filesInside(parts: Parts, candidate: Colour): Promise<InDatabase> {
  const migrations = await declaredMigrations(parts.environment.colours[candidate]);
  const tool = await toolOfFiles(parts.environment.colours[candidate]);
  // Whose files they are, the live colour's history may say.
  if (tool !== undefined) await plannedFiles(parts);
  return {
    migrations,
    ...(tool === undefined ? {} : { tool }),
    ...(migrations.length > 0 ? await plannedFiles(parts) : {}),
  };
}

function named(database: string, { migrations, shapes, ...rest }: InDatabase): InDatabase {
  const of = <T extends { readonly version: string }>(each: T): T => ({
    ...each,
    version: `${database} ${each.version}`,
  });
  return { ...rest, migrations: migrations.map(of), ...(shapes ? { shapes: shapes.map(of) } : {}) };
}

function joined(one: InDatabase, next: InDatabase): InDatabase {
  const both = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined): readonly T[] | undefined =>
    a || b ? [...(a ?? []), ...(b ?? [])] : undefined;
  const [data, shapes] = [both(one.data, next.data), both(one.shapes, next.shapes)];
  const refused = both(one.refused, next.refused);
  const dataUnknown = one.dataUnknown ?? next.dataUnknown;
  const tool = one.tool ?? next.tool;
  return {
    migrations: [...one.migrations, ...next.migrations],
    ...(data ? { data } : {}),
    ...(shapes ? { shapes } : {}),
    ...(refused ? { refused } : {}),
    ...(dataUnknown === undefined ? {} : { dataUnknown }),
    ...(tool === undefined ? {} : { tool }),
  };
}
