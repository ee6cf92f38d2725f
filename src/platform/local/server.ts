import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { closedToAll, closedToNobody, lockSetting } from '../../model/closed-file.ts';
import { hbaLockRules } from '../../postgres/hba-lock.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { writeDurably } from '../../machine/durable.ts';
import { processTable } from '../../machine/process-table.ts';
import { ownFolder, ownSockets } from './sockets.ts';
import { readTheirs } from './theirs.ts';

/** A PostgreSQL server of ours: one data directory, one port, one socket folder. */
export interface Server {
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  /** Folder that holds `data` and `server.log`. */
  readonly directory: string;
  /**
   * 0700, owned by the server's account: whoever may enter it is let in as any role, so that nothing needs a password
   * here.
   */
  readonly sockets: string;
  readonly port: number;
  /** Where it listens besides 127.0.0.1, for the subscription of a server that others run and nobody else. */
  readonly listen?: string;
}

export type Settings = Readonly<Record<string, string>>;

export { operatorRole } from '../../model/names.ts';
import { operatorRole } from '../../model/names.ts';

const startTimeout = 60_000;
/** What recovers beside the live server may take its time. */
const quietTimeout = 1_800_000;
/** Milliseconds that the processes of a killed postmaster are waited for. */
const lingering = 10_000;

export function dataDirectory(server: Pick<Server, 'directory'>): string {
  return path.join(server.directory, 'data');
}

/** Makes an empty cluster whose superusers are `postgres`, as dumps expect, and the operator's own. */
export async function initServer(server: Server, settings: Settings): Promise<void> {
  await ownFolder(server.directory, server.account);
  await run(server, 'initdb', [
    '-D',
    dataDirectory(server),
    '-U',
    operatorRole,
    '--encoding=UTF8',
    ...localeOptions(server.binaries.major),
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    '--data-checksums',
  ]);
  await writeSettings(server, settings);
  await writeLock(server, 'open');
}

/** Nothing of this but C is sure to be known to macOS; there PostgreSQL brings C.UTF-8 itself from 17 on. */
const onMac = process.platform === 'darwin';

/** How a new cluster sorts and knows letters: by code points, on every system. */
export function localeOptions(major: number, mac = onMac): string[] {
  if (!mac) return ['--locale=C.UTF-8'];
  return ['--locale=C', ...(major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [])];
}

/** Beside pg_hba.conf, whose first rules read it. */
const lockFile = 'verdigris_closed';

/**
 * Whom pg_hba.conf refuses from the next start on; its rules for that are put before the others where they are missing.
 */
export async function writeLock(server: Server, to: 'closed' | 'open'): Promise<void> {
  const file = path.join(dataDirectory(server), lockFile);
  await writeDurably(file, `${to === 'closed' ? closedToAll : closedToNobody}\n`, { owner: server.account });
  await putRulesFirst(server);
}

/** Says whether they were missing there. */
async function putRulesFirst(server: Server): Promise<boolean> {
  const hba = path.join(dataDirectory(server), 'pg_hba.conf');
  const text = await readTheirs(hba, server.account);
  const rules = hbaLockRules(lockFile, server.listen === undefined ? 'samehost' : 'all');
  if (text.startsWith(rules)) return false;
  await writeDurably(hba, `${rules}${text}`, { owner: server.account });
  return true;
}

/**
 * A server that runs may have been closed to everybody, Verdigris too: by a rule before its own in pg_hba.conf, or by
 * the loss of its socket, which only a restart brings back.
 */
export async function openDoor(server: Server): Promise<void> {
  if (!(await serverPid(server))) return;
  if (await putRulesFirst(server)) await run(server, 'pg_ctl', ['reload', '-D', dataDirectory(server)]);
  const socket = path.join(server.sockets, `.s.PGSQL.${server.port}`);
  if (await stat(socket).catch(() => undefined)) return;
  await stopServer(server);
  await startServer(server);
}

/** Rewrites the settings that are ours; those of a copied directory go with it. Takes effect at the next start. */
export async function writeSettings(server: Server, settings: Settings): Promise<void> {
  const file = path.join(dataDirectory(server), 'verdigris.conf');
  const all: Settings = {
    ...settings,
    port: String(server.port),
    listen_addresses: ['127.0.0.1', ...(server.listen === undefined ? [] : [server.listen])].join(','),
    unix_socket_directories: server.sockets,
    unix_socket_permissions: '0700',
    [lockSetting]: path.join(dataDirectory(server), lockFile),
  };
  await writeDurably(
    file,
    Object.entries(all)
      .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
      .join(''),
    { owner: server.account },
  );
  const main = path.join(dataDirectory(server), 'postgresql.conf');
  const text = await readTheirs(main, server.account);
  if (!text.includes("include 'verdigris.conf'"))
    await writeDurably(main, `${text}\ninclude 'verdigris.conf'\n`, { owner: server.account });
  await dropOverrides(server, new Set(Object.keys(all)));
}

/** ALTER SYSTEM on the original is read after everything else, so what it set of ours is taken out; the rest stays. */
async function dropOverrides(server: Server, ours: ReadonlySet<string>): Promise<void> {
  const file = path.join(dataDirectory(server), 'postgresql.auto.conf');
  const lines = (await readTheirs(file, server.account)).split('\n');
  await writeDurably(file, lines.filter((line) => !ours.has(line.split(/\s*=/)[0] ?? '')).join('\n'), {
    owner: server.account,
  });
}

/**
 * Starts the server and waits until it accepts connections. Does nothing where it runs. `quiet`: with lower priority
 * than others on this machine (nice 10, a tenth of their share where all cores are busy), until it is started again.
 */
export async function startServer(server: Server, quiet = false): Promise<void> {
  if (await serverPid(server)) return;
  await ownSockets(server.sockets, server.account);
  const log = path.join(server.directory, 'server.log');
  const begun = performance.now();
  for (;;) {
    try {
      await keepLock(server);
      const timeout = quiet ? quietTimeout : startTimeout;
      return await run(
        server,
        'pg_ctl',
        ['start', '-w', '-t', String(timeout / 1000), '-D', dataDirectory(server), '-l', log],
        timeout + 5_000,
        quiet ? ['nice', '-n', '10'] : [],
      );
    } catch (error) {
      const tail = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-8).join('\n');
      // Processes of a postmaster that was killed end within moments; until then the next one may not begin.
      if (
        /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(tail) &&
        performance.now() - begun < lingering
      ) {
        await delay(100);
        continue;
      }
      throw startFailure(server, log, tail, error);
    }
  }
}

/**
 * A machine that lost power may have left the file empty, and then pg_hba.conf is no good; the roles of a fence are
 * closed durably all the same.
 */
async function keepLock(server: Server): Promise<void> {
  const text = await readFile(path.join(dataDirectory(server), lockFile), 'utf8').catch(() => '');
  if (text.trim() === '') await writeLock(server, 'open');
}

function startFailure(server: Server, log: string, tail: string, cause: unknown): VerdigrisError {
  return new VerdigrisError('server-start', {
    seen: `PostgreSQL in ${server.directory} did not start: ${tail || describe(cause)}`,
    required: 'a server that accepts connections.',
    next: `read ${log}; where the port ${server.port} is taken, free it.`,
    cause,
  });
}

/**
 * `fast` ends sessions and writes a checkpoint; `immediate` is a crash, for tests and for what is thrown away anyway.
 */
export async function stopServer(server: Server, mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
  if (!(await serverPid(server))) return;
  await run(server, 'pg_ctl', ['stop', '-w', '-m', mode, '-D', dataDirectory(server)], 120_000);
}

/** The postmaster's process id, or undefined where it is down. A stale pid file of another program does not count. */
export async function serverPid(server: Pick<Server, 'directory'>): Promise<number | undefined> {
  const text = await readFile(path.join(dataDirectory(server), 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const command = await processTable.command(pid);
  return command.includes('postgres') ? pid : undefined;
}

/** Removes the server with everything it holds. */
export async function removeServer(server: Server): Promise<void> {
  await stopServer(server, 'immediate');
  await rm(server.directory, { recursive: true, force: true });
}

async function run(
  server: Server,
  program: string,
  args: readonly string[],
  timeout = 60_000,
  under: readonly string[] = [],
): Promise<void> {
  // Loaded only here: whoever only looks at servers starts none.
  const { execa } = await import('execa');
  const [command = '', ...rest] = [...under, path.join(server.binaries.bin, program), ...args];
  await execa(command, rest, {
    ...(server.account ?? {}),
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: onMac ? 'C' : 'C.UTF-8', TZ: 'UTC' },
    extendEnv: false,
    stdin: 'ignore',
    timeout,
    // pg_ctl's server inherits these: pipes would keep execa waiting for the server's end.
    ...(program === 'pg_ctl' ? { stdout: 'ignore', stderr: 'ignore' } : {}),
  });
}
