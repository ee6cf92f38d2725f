import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { upwards } from './upwards.ts';

interface Declared {
  readonly file: string;
  readonly live: unknown;
  /** The colours whose migrations are a folder, in full, with the declared major or NaN. */
  readonly colours: readonly { readonly name: string; readonly migrations: string; readonly postgres: number }[];
}

type Loose = Readonly<Record<string, unknown>> | undefined;

/** What the nearest `verdigris.yaml` declares, from the folder upwards. */
export async function declaredAround(folder: string): Promise<Declared | undefined> {
  const file = upwards(folder, ['verdigris.yaml']);
  if (file === undefined) return undefined;
  const declaration = await loose(await readFile(file, 'utf8'));
  const colours = Object.entries((declaration?.['colours'] as Loose) ?? {}).flatMap(([name, colour]) => {
    const { migrations, postgres } = (colour ?? {}) as Record<string, unknown>;
    if (typeof migrations !== 'string') return [];
    return [{ name, migrations: path.resolve(path.dirname(file), migrations), postgres: Number(postgres) }];
  });
  return { file, live: declaration?.['live'], colours };
}

/** The folder of the next release, as the command line names it: the candidate's, else the live colour's. */
export async function declaredFolders(folder: string): Promise<readonly string[]> {
  const { colours = [], live } = (await declaredAround(folder)) ?? {};
  const next = colours.find(({ name }) => name !== live) ?? colours[0];
  return next ? [path.relative('.', next.migrations) || '.'] : [];
}

/** A declaration that is off is refused by the commands that need it, not by the linter. */
async function loose(text: string): Promise<Loose> {
  const { parse } = await import('yaml');
  try {
    return parse(text) as Loose;
  } catch {
    return undefined;
  }
}
