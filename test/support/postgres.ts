import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serverAccount } from '../../src/platform/local/account.ts';
import {
  initServer,
  operatorRole,
  removeServer,
  startServer,
  type Server,
  type Settings,
} from '../../src/platform/local/server.ts';
import type { Client } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { testBinaries } from './binaries.ts';

/** The major under test: VERDIGRIS_TEST_POSTGRES, else 17. */
export const testMajor = Number(process.env['VERDIGRIS_TEST_POSTGRES'] ?? 17);

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-'));
  await chmod(folder, 0o755);
  return folder;
}

/** The same for the length of `use`. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function connectionTo(server: Server, database = 'postgres', user = operatorRole): ConnectionSettings {
  return { host: server.sockets, port: server.port, user, database };
}

/** A real server for the length of `use`, durable settings off where a test does not need them. */
export async function withServer<T>(
  use: (server: Server) => Promise<T>,
  settings: Settings = {},
  major = testMajor,
): Promise<T> {
  const binaries = await testBinaries(major);
  const folder = await temporaryFolder();
  const server: Server = {
    binaries,
    account: await serverAccount(),
    directory: path.join(folder, 'server'),
    sockets: path.join(folder, 's'),
    port: await freePort(),
  };
  try {
    await initServer(server, {
      wal_level: 'logical',
      fsync: 'off',
      shared_buffers: '64MB',
      max_connections: '60',
      ...settings,
    });
    await startServer(server);
    return await use(server);
  } finally {
    await removeServer(server);
    await rm(folder, { recursive: true, force: true });
  }
}

/** A server with an empty database `test`, and one connection to it. */
export async function withDatabase<T>(
  use: (client: Client, server: Server) => Promise<T>,
  settings: Settings = {},
): Promise<T> {
  return withServer(async (server) => {
    await withClient(connectionTo(server), 'test', (client) => client.query('CREATE DATABASE test'));
    return withClient(connectionTo(server, 'test'), 'test', (client) => use(client, server));
  }, settings);
}
