import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { versionText } from '../../machine/program.ts';
import { VerdigrisError } from '../../model/errors.ts';

/** Where Debian's and RPM's packages put the programs of each major. */
const places = [
  { root: '/usr/lib/postgresql', bin: (major: string) => `${major}/bin`, named: /^\d+$/ },
  { root: '/usr', bin: (name: string) => `${name}/bin`, named: /^pgsql-\d+$/ },
];

/**
 * The pg_dump for a seed from major `live` to `candidate`. It must know the live server's catalogues and write what the
 * candidate reads: the candidate's own is best, then the nearest below it, but none below the live one. Packages'
 * places and PATH are looked through.
 * @throws VerdigrisError `no-pg-dump`
 */
export async function findPgDump(live: number, candidate: number): Promise<string> {
  const found = (await Promise.all((await programs()).map(inspect))).flatMap((each) => each ?? []);
  const fit = found
    .filter(({ major }) => major >= live)
    .toSorted((a, b) => rank(a.major, candidate) - rank(b.major, candidate));
  const [best] = fit;
  if (best) return best.program;
  throw new VerdigrisError('no-pg-dump', {
    seen:
      `No pg_dump of PostgreSQL ${live} or newer on this machine: ` +
      `${found.map(({ program, major }) => `${program} is ${major}`).join(', ') || 'none at all'}.`,
    required: `pg_dump of major ${candidate}: one below ${live} refuses the live server.`,
    next: `install the client programs of PostgreSQL ${candidate} (postgresql-client-${candidate}), or put them on PATH; then run the same command again.`,
    facts: { live, candidate },
  });
}

/** From the candidate's own downwards; those above it last, for they may write what it cannot read. */
function rank(major: number, candidate: number): number {
  return major <= candidate ? candidate - major : 1000 + major;
}

async function programs(): Promise<string[]> {
  const packaged = await Promise.all(
    places.map(async ({ root, bin, named }) =>
      (await readdir(root).catch(() => []))
        .filter((name) => named.test(name))
        .map((name) => path.join(root, bin(name), 'pg_dump')),
    ),
  );
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => path.join(folder, 'pg_dump'));
  return [...new Set([...packaged.flat(), ...onPath])];
}

async function inspect(program: string): Promise<{ program: string; major: number } | undefined> {
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(await versionText(program))?.[1]);
  return Number.isInteger(major) ? { program, major } : undefined;
}
