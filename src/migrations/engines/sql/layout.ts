import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import { isWayBack } from '../../way-back.ts';
import { unreadableMigrations } from './unreadable-migrations.ts';

/** One migration on disk, not read yet. */
export interface SqlSource {
  /** The leading number, or where the tool has it so all of them: `0007`, `1.9`, `2026-01-15-120000`, `101_01`. */
  readonly version: string;
  readonly name: string;
  readonly path: string;
  /** Of the file or folder, as the folder of migrations has it. */
  readonly entry: string;
  /** What a list of the tool's beside the files says of it: Drizzle's time, Atlas's hash. */
  readonly stamp?: string | undefined;
  /** A file beside it asks for no transaction: Diesel's metadata.toml. */
  readonly apart?: boolean;
}

/** How a tool names its migrations: version and name, of a file's name without `.sql` or of a folder's. */
export interface Naming {
  readonly title: RegExp;
  /** No tool's: ways back are known by every tool's names for them, and a file in a folder is one that was forgotten. */
  readonly anyTool?: true;
  /** The tool takes `.SQL` for `.sql`. */
  readonly anyCase?: true;
}

/** Version and name. A number belongs to the version only where it ends with the word: `0001_2fa` is version 0001. */
export const versioned = /^(\d+(?:(?:[._-]+|T)\d+(?![^\W_TZ]))*)Z?(?:[._-]+(.*))?$/;
/** golang-migrate's and sqlx's ways up and back, and Postgrator's. */
const up = /\.(?:up|do)\.sql$/i;
const down = /\.(?:down|undo)\.sql$/i;
/** What a folder per migration has: Diesel, Sourcegraph, Hasura; Prisma, Drizzle. */
const inFolder = ['up.sql', 'migration.sql'];

const plain: Naming = { title: versioned, anyTool: true, anyCase: true };

/** The migrations of a folder by their names: ways up only, each a file or a folder. */
export async function sqlSources(folder: string, naming: Naming = plain): Promise<SqlSource[]> {
  const { title: named, anyTool } = naming;
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unreadableMigrations(
      `The migrations folder ${folder}`,
      'a folder.',
      'make the folder, declare the right path, relative to the declaration, or leave `migrations` out.',
      cause,
    );
  });
  const all = new Set(names);
  const places = await Promise.all(
    names
      .sort()
      .filter((name) => anyTool !== true || !isWayBack(name, all))
      .map((name) => wayUp(folder, name, naming)),
  );
  const found = places.filter((place) => place !== undefined);
  const misnamed = found.filter(({ title }) => !named.test(title));
  if (misnamed.length > 0)
    throw invalid(
      `${misnamed.map((place) => path.relative(folder, place.path)).join(', ')} in ${folder}: no version in the name.`,
      'names such as 0007_add_index.sql.',
      'rename them, or declare the tool that they are for: `engine: { command: […] }`.',
    );
  return found.map(({ title, ...place }) => {
    const [, version = '', name = ''] = named.exec(title) ?? [];
    return { version, name: name || version, ...place };
  });
}

type Place = Omit<SqlSource, 'version' | 'name'> & { readonly title: string };

async function wayUp(folder: string, name: string, { anyTool, anyCase }: Naming): Promise<Place | undefined> {
  const place = path.join(folder, name);
  const isSql = !name.startsWith('.') && /\.sql$/i.test(name);
  // A link that leads nowhere is said when it is read.
  const kind = await stat(place).catch(() => undefined);
  const isFolder = kind?.isDirectory() === true;
  if (isFolder && (isSql || /^\d/.test(name))) return folderOfOne(folder, name);
  if (isFolder && anyTool) await refuseForgotten(folder, name);
  if (isFolder || !isSql || down.test(name)) return undefined;
  // It might never end: a pipe that nobody writes to, a device.
  if (kind?.isFile() === false)
    throw invalid(`${name} in ${folder} is no file.`, 'migrations that are files or folders.', 'take it out.');
  if (!anyCase && !name.endsWith('.sql'))
    throw invalid(
      `${name} in ${folder}: its tool does not read a file that does not end in .sql.`,
      'names that end in .sql.',
      'rename it.',
    );
  return { title: name.replace(up, '.sql').slice(0, -'.sql'.length), path: place, entry: name };
}

/** Folders beside migrations that have a meaning of their own, or hold what no release runs. */
const beside =
  /^(?:\.|node_modules$|repeatable$|down$|undo$|revert$|rollback$|archive|old$|seed|test|fixture|example)/i;

/** Migrations in a folder below, which nothing would run: a release without them would be another one. */
async function refuseForgotten(folder: string, name: string): Promise<void> {
  if (beside.test(name)) return;
  const [found] = (await readdir(path.join(folder, name))).filter((each) => /^\d.*\.sql$/i.test(each));
  if (found === undefined) return;
  throw invalid(
    `${path.join(name, found)} in ${folder} would not run: files of folders are no migrations of their own.`,
    'all migrations in one folder.',
    `move them up, take ${name} out of the folder, or declare the tool that they are for: \`engine: { command: […] }\`.`,
  );
}

async function folderOfOne(folder: string, name: string): Promise<Place | undefined> {
  const within = await readdir(path.join(folder, name));
  const found = inFolder.find((each) => within.includes(each));
  if (found !== undefined)
    return {
      title: name.replace(/\.sql$/, ''),
      path: path.join(folder, name, found),
      entry: name,
      apart: within.includes('metadata.toml') && (await asksApart(path.join(folder, name, 'metadata.toml'))),
    };
  if (!name.endsWith('.sql') && !within.some((each) => each.endsWith('.sql'))) return undefined;
  throw invalid(
    `${name} in ${folder} is a folder without ${inFolder.join(' or ')}.`,
    'one of them in a folder that is a migration.',
    'name its way up so, or take the folder out.',
  );
}

async function asksApart(metadata: string): Promise<boolean> {
  return /^\s*run_in_transaction\s*=\s*false\b/m.test(await readFile(metadata, 'utf8'));
}

function invalid(seen: string, required: string, next: string): VerdigrisError {
  return new VerdigrisError('migration-name', { seen, required, next });
}
