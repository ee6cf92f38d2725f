import { constants } from 'node:fs';
import { copyFile, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, freemem, platform, release, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import prettyBytes from 'pretty-bytes';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import { findBinaries } from '../../../platform/local/binaries.ts';
import { abandonedScratch } from '../../../platform/local/lifecycle/scratch.ts';
import type { DoctorCheck } from './check.ts';

/** Bytes of free disk under which the logs of a busy minute may be more than there is. */
const littleDisk = 1024 ** 3;
const oldestNode = 20;

/** What this machine gives, whatever is declared. `home`: where environments are kept. */
export async function machineChecks(home: string, majors: readonly number[]): Promise<DoctorCheck[]> {
  return [
    node(),
    hardware(),
    ...(await Promise.all(majors.map((major) => binaries(major, path.join(home, 'binaries'))))),
    ...(await disks(home)),
    ...(await leftovers()),
  ];
}

function node(): DoctorCheck {
  const seen = `Node.js ${process.versions.node}`;
  if (Number.parseInt(process.versions.node, 10) >= oldestNode) return { id: 'node', grade: 'good', seen };
  return { id: 'node', grade: 'bad', seen, fix: `install Node.js ${oldestNode} or newer` };
}

function hardware(): DoctorCheck {
  const seen =
    `${platform()} ${release()} on ${arch()}, ${availableParallelism()} cores, ${prettyBytes(freemem())} of ` +
    `${prettyBytes(totalmem())} of memory free`;
  if (platform() === 'linux' && arch() === 'x64') return { id: 'machine', grade: 'good', seen };
  return {
    id: 'machine',
    grade: 'warn',
    seen,
    fix: 'the PostgreSQL of npm and the tests are for Linux on x64; elsewhere install PostgreSQL from the system',
  };
}

async function binaries(major: number, cache: string): Promise<DoctorCheck> {
  try {
    const { version, source, bin } = await findBinaries(major, cache);
    return { id: 'postgres', grade: 'good', seen: `PostgreSQL ${version} from ${source === 'npm' ? 'npm' : bin}` };
  } catch (error) {
    const fix = error instanceof VerdigrisError ? error.next : 'install it';
    return { id: 'postgres', grade: 'bad', seen: describe(error), fix };
  }
}

async function disks(home: string): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  for (const [what, folder] of [
    ['environments', home],
    ['temporary files', tmpdir()],
  ] as const) {
    const { bavail, blocks, bsize } = await statfs(folder);
    const seen = `${prettyBytes(bavail * bsize)} of ${prettyBytes(blocks * bsize)} free for ${what} (${folder})`;
    checks.push(
      bavail * bsize < littleDisk
        ? { id: 'disk', grade: 'bad', seen, fix: 'free space there: `verdigris explain disk-full`' }
        : { id: 'disk', grade: 'good', seen },
    );
  }
  return [...checks, await reflinks(home)];
}

/** Whether a copy of a file shares its blocks there: then a seed copies nothing. */
async function reflinks(home: string): Promise<DoctorCheck> {
  const folder = await mkdtemp(path.join(home, '.doctor-'));
  try {
    await writeFile(path.join(folder, 'one'), 'x'.repeat(4096));
    await copyFile(path.join(folder, 'one'), path.join(folder, 'two'), constants.COPYFILE_FICLONE_FORCE);
    return { id: 'copies', grade: 'good', seen: 'copies share their blocks: a seed takes no room and no time' };
  } catch {
    return {
      id: 'copies',
      grade: 'warn',
      seen: 'the filesystem of the environments has no reflinks: a seed copies every byte',
      fix: 'no action needed; XFS and Btrfs have them',
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function leftovers(): Promise<DoctorCheck[]> {
  return (await abandonedScratch()).map((folder) => ({
    id: 'leftover',
    grade: 'warn',
    seen: `a demo that was killed left servers or files in ${folder}`,
    fix: 'the next `verdigris demo` removes them',
  }));
}
