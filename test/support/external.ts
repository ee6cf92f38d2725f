import { appendFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { serverAccount } from '../../src/platform/local/account.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { ownFolder } from '../../src/platform/local/sockets.ts';
import { one } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { testBinaries } from './binaries.ts';
import { temporaryFolder } from './postgres.ts';

/** A server as others set one up: their superuser, a password for everybody, nothing of Verdigris's. */
export interface ExternalFixture {
  readonly port: number;
  readonly superuser: ConnectionSettings;
  /** File that holds the superuser's password. */
  readonly passwordFile: string;
  readonly log: string;
  /** Its data directory and its programs. */
  readonly data: string;
  readonly bin: string;
  ctl(...args: readonly string[]): Promise<void>;
}

export const superuserPassword = 'their superuser secret';

export const credentials = { shop_app: 'app secret', shop_reader: 'reader secret' } as const;

/** Settings that a server needs to be a colour, and those that make a test fast. */
const settings = {
  wal_level: 'logical',
  fsync: 'off',
  shared_buffers: '32MB',
  max_connections: '60',
  autovacuum: 'off',
};

/** A physical standby of a server, streaming, as others have set one up; for the length of `use`. */
export async function withStandby<T>(
  { superuser, data: original, bin }: ExternalFixture,
  use: (standby: Pick<ExternalFixture, 'port'> & { stop(): Promise<unknown> }) => Promise<T>,
  extra: Readonly<Record<string, string>> = {},
): Promise<T> {
  const account = await serverAccount();
  const data = path.join(await temporaryFolder(), 'standby', 'data');
  const port = await freePort();
  await ownFolder(path.dirname(data), account);
  await withClient(superuser, 'test', async (client) => {
    await client.query("SELECT pg_backup_start('standby', true)");
    await execa('cp', ['-a', original, data]);
    const { label } = await one<{ label: string }>(client, 'SELECT labelfile AS label FROM pg_backup_stop(false)');
    await writeFile(path.join(data, 'backup_label'), label, { mode: 0o644 });
  });
  await rm(path.join(data, 'postmaster.pid'), { force: true });
  // As pg_basebackup has it: slots are the original's.
  await rm(path.join(data, 'pg_replslot', 'theirs'), { recursive: true, force: true });
  await writeFile(path.join(data, 'standby.signal'), '', { mode: 0o644 });
  for (const name of ['backup_label', 'standby.signal'])
    await execa('chown', ['--reference', data, path.join(data, name)]);
  const source = `host=127.0.0.1 port=${superuser.port} user=${superuser.user} password='${superuser.password ?? ''}' application_name=their_standby`;
  const all = { port: String(port), primary_conninfo: source, ...extra };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  await appendFile(path.join(data, 'postgresql.auto.conf'), lines.join(''));
  const ctl = (...args: readonly string[]) =>
    execa(path.join(bin, 'pg_ctl'), ['-D', data, '-w', ...args], { ...account, cwd: '/', stdio: 'ignore' });
  const stop = () => ctl('stop', '-m', 'immediate');
  try {
    await ctl('start', '-l', path.join(path.dirname(data), 'log'));
    return await use({ port, stop });
  } finally {
    await stop().catch(() => undefined);
    await rm(path.dirname(data), { recursive: true, force: true });
  }
}

/**
 * A real server of a major for the length of `use`, started and stopped by the test alone. `owner` is its superuser.
 */
export async function withExternalServer<T>(
  major: number,
  use: (server: ExternalFixture) => Promise<T>,
  extra: Readonly<Record<string, string>> = {},
  owner = 'postgres',
): Promise<T> {
  const { bin } = await testBinaries(major);
  const account = await serverAccount();
  const folder = await temporaryFolder();
  const [data, passwordFile, log] = ['data', 'password', 'log'].map((name) => path.join(folder, 'server', name)) as [
    string,
    string,
    string,
  ];
  const port = await freePort();
  await ownFolder(path.dirname(data), account);
  await writeFile(passwordFile, `${superuserPassword}\n`, { mode: 0o644 });
  const run = async (program: string, ...args: readonly string[]): Promise<void> => {
    await execa(path.join(bin, program), args, {
      ...account,
      cwd: '/',
      // Where libpq of its subscriptions looks for certificates: root's own home is closed to it.
      env: { HOME: path.dirname(data) },
      ...(program === 'pg_ctl' ? { stdio: 'ignore' } : {}),
    });
  };
  const ctl = (...args: readonly string[]): Promise<void> => run('pg_ctl', '-D', data, '-w', ...args);
  const options = ['-U', owner, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--locale=C.UTF-8', '--no-sync'];
  await run('initdb', '-D', data, ...options);
  const all = { ...settings, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', ...extra };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
  await writeFile(path.join(data, 'postgresql.auto.conf'), lines.join(''));
  try {
    await ctl('start', '-l', log);
    const superuser = { host: '127.0.0.1', port, user: owner, password: superuserPassword, database: 'postgres' };
    return await use({ port, superuser, passwordFile, log, data, bin, ctl });
  } finally {
    await ctl('stop', '-m', 'immediate').catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The database `shop` with the roles and tables of the workload, as an application has made them long ago. */
export async function fillShop(
  { superuser }: ExternalFixture,
  passwords: Readonly<Record<string, string>> = credentials,
): Promise<void> {
  await withClient(superuser, 'test', async (client) => {
    for (const [role, secret] of Object.entries(passwords))
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
    await client.query('CREATE DATABASE shop');
  });
  await withClient({ ...superuser, database: 'shop' }, 'test', (client) =>
    prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 }),
  );
}

/** Of the declaration, what says that a colour is this server. */
export function declaredServer({ port, passwordFile }: ExternalFixture): Record<string, unknown> {
  return {
    kind: 'external',
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: { file: passwordFile },
    sslmode: 'disable',
  };
}

/** By which the router carries sessions over to a server that asks. */
export const declaredPasswords = Object.fromEntries(
  Object.entries(credentials).map(([role, secret]) => [role, { command: ['printf', '%s', secret] }]),
);
