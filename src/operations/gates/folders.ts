import { other } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { declaredOf, type Declared } from '../../model/plan.ts';
import { folderDigest } from '../../migrations/folder.ts';
import type { Context } from '../engine/context.ts';
import { release } from '../engine/release-record.ts';

type Folders = NonNullable<Declared['folders']>;

/** Digests of the declared folders as they are now; none for one that is not on this machine. */
export async function foldersNow({ colours }: Pick<Environment, 'colours'>): Promise<Folders> {
  const found = await Promise.all(
    Object.entries(colours).map(
      async ([colour, { migrations }]) => [colour, migrations && (await folderDigest(migrations))] as const,
    ),
  );
  return Object.fromEntries(found.filter(([, digest]) => digest !== undefined)) as Folders;
}

/** What is declared, with the folders that it names. */
export async function declaredNow(environment: Environment): Promise<Declared> {
  return { ...declaredOf(environment), folders: await foldersNow(environment) };
}

/** Writes do not move to a candidate that lacks what its folder has by now. */
export async function folderFindings(c: Context): Promise<Finding[]> {
  const candidate = other(c.live);
  const { [candidate]: now } = await foldersNow(c.environment);
  const { folder } = release(c);
  if (folder === undefined || now === undefined || folder === now) return [];
  return [
    finding('migrations-changed', {
      objects: [c.environment.colours[candidate]?.migrations ?? ''],
      reason:
        'What was added or edited since the candidate was migrated does not run on it, but would count as applied.',
    }),
  ];
}
