import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { driverSettings } from '../../src/postgres/connection.ts';

afterEach(() => void vi.unstubAllEnvs());

async function encrypted(host: string): Promise<unknown> {
  return (new pg.Client(await driverSettings({ host, port: 5432, user: 'u', database: 'd' })) as { ssl?: unknown }).ssl;
}

test('what the environment asks of other servers is not asked of those of this machine', async () => {
  vi.stubEnv('PGSSLMODE', 'require');
  for (const host of ['/run/sockets', '127.0.0.1', '::1', 'localhost']) expect(await encrypted(host)).toBe(false);
  expect(await encrypted('db.example')).toBeTruthy();
});
