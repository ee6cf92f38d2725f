import { writeFile, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { serverAccount } from '../../src/platform/local/account.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { ownFolder } from '../../src/platform/local/sockets.ts';
import { temporaryFolder } from './postgres.ts';
import { until } from './until.ts';

/** Whether this machine has it: Debian's package, as people run it. */
export const hasPgBouncer = (await execa('pgbouncer', ['--version'], { reject: false })).exitCode === 0;

/** Who may use the console of a PgBouncer, as `declaredPgBouncers` says. */
export const poolerAdmin = { pooler_admin: 'admin secret' };

/** Of a declaration, what says that clients come by these PgBouncers. */
export function declaredPgBouncers(all: readonly { readonly port: number; readonly config: string }[]) {
  return {
    kind: 'pgbouncer',
    pgbouncers: all.map(({ port, config }) => ({ host: '127.0.0.1', port, config })),
    user: 'pooler_admin',
    password: { command: ['printf', '%s', poolerAdmin.pooler_admin] },
  };
}

/**
 * A PgBouncer before a server, for users with these passwords, `pooler_admin` its administrator where he is one of
 * them. `entry`: the database that leads there; every one, where none is named.
 */
export async function withPgBouncer<T>(
  behind: { readonly host: string; readonly port: number },
  users: Readonly<Record<string, string>>,
  use: (port: number, config: string) => Promise<T>,
  entry = '*',
): Promise<T> {
  const folder = await temporaryFolder();
  const account = await serverAccount();
  const own = path.join(folder, 'pgbouncer');
  const port = await freePort();
  await ownFolder(own, account);
  const [file, list, pid] = ['ini', 'users', 'pid'].map((name) => path.join(own, name)) as [string, string, string];
  await writeFile(
    list,
    Object.entries(users)
      .map(([name, password]) => `"${name}" "${password}"\n`)
      .join(''),
    { mode: 0o644 },
  );
  await writeFile(
    file,
    `[databases]
; theirs: not to be touched
${entry} = host=${behind.host} port=${behind.port} pool_size=20
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
ignore_startup_parameters = extra_float_digits,options
admin_users = pooler_admin
auth_type = scram-sha-256
auth_file = ${list}
pidfile = ${pid}
logfile = ${path.join(own, 'log')}
`,
    { mode: 0o644 },
  );
  await execa('pgbouncer', ['-d', file], { ...account, cwd: '/', stdio: 'ignore' });
  try {
    await until('the process of PgBouncer', async () => (await readFile(pid, 'utf8').catch(() => '')) !== '', 10_000);
    return await use(port, file);
  } finally {
    process.kill(Number(await readFile(pid, 'utf8')));
    await rm(folder, { recursive: true, force: true });
  }
}
