import { colours } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { folderDigests } from '../../migrations/folder.ts';
import { plannedObjects, type Manifests, type PlannedObjects } from '../../manifests/planned.ts';
import { unborn, type Standing } from '../../manifests/lives.ts';
import { declaredNow } from '../../operations/gates/folders.ts';
import { declarationOf, type filledIn, type TrafficInputs } from './inputs.ts';

export type Filled = Pick<TrafficInputs, (typeof filledIn)[number]>;

/**
 * The objects that `check` fills in. `before` are those that it filled in last; `standing` undefined where there is no
 * environment yet.
 */
export async function planned(
  environment: Environment,
  inputs: TrafficInputs,
  standing: Standing | undefined,
  before: Manifests | undefined,
): Promise<PlannedObjects> {
  return plannedObjects(environment, declarationOf(inputs), {
    standing: standing ?? unborn(environment),
    declared: await declaredNow(environment),
    ...(before === undefined ? {} : { before }),
  });
}

export async function migrationsOf(environment: Environment): Promise<NonNullable<Filled['migrations']>> {
  const found = await Promise.all(
    colours.map(async (colour) => {
      const folder = environment.colours[colour]?.migrations;
      return folder === undefined ? [] : [[colour, (await folderDigests(folder)) ?? {}] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

/** Files that came, went or changed in the folder of the colour that stays live: no release runs them any more. */
export function lateFiles(before: TrafficInputs, wanted: TrafficInputs): string[] {
  const { live } = wanted;
  const [had, has] = [before.migrations?.[live], wanted.migrations?.[live]];
  const release = ({ environment }: TrafficInputs): unknown =>
    (environment['colours'] as Record<string, { release?: unknown } | undefined> | undefined)?.[live]?.release;
  if (!had || !has || before.live !== live || release(before) !== release(wanted)) return [];
  return [...new Set([...Object.keys(had), ...Object.keys(has)])].filter((name) => had[name] !== has[name]).sort();
}
