import pg from 'pg';
import { expect, test } from 'vitest';
import { waitFor } from '../../src/model/wait.ts';
import type { Server } from '../../src/platform/local/server.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { fencedRoles, fenceServer, requireFenced, unfence } from '../../src/postgres/fence.ts';
import { connectionTo, withDatabase } from '../support/postgres.ts';

test('a login that has passed the check but is not yet in pg_stat_activity does not slip through the fence', async () => {
  await withDatabase(async (client, server) => {
    await ensureControlSchema(client);
    await client.query('CREATE ROLE app LOGIN; CREATE TABLE t (x int); GRANT INSERT ON t TO app');
    // The server itself waits between the check of the role and the session's entry in pg_stat_activity.
    const late = new pg.Client({ ...connectionTo(server, 'test', 'app'), options: '-c post_auth_delay=2' });
    late.on('error', () => undefined);
    const connected = late
      .connect()
      .then(() => late.query('INSERT INTO t VALUES (1)'))
      .then(
        () => 'written',
        (error: Error) => error.message,
      );
    await waitFor(
      async () =>
        (
          await rows(
            client,
            "SELECT FROM pg_locks WHERE locktype = 'virtualxid' AND pid NOT IN (SELECT pid FROM pg_stat_activity)",
          )
        ).length > 0
          ? true
          : undefined,
      { limit: 10_000, every: 5, what: 'a login under way', next: 'see the log.' },
    );
    await fenceServer(client, 1, 10_000);
    // It may have come in and written while the fence closed; when the fence has closed it is gone, and what was
    // acknowledged is there.
    const before = await rows(client, 'SELECT x FROM t');
    expect(before).toEqual((await connected) === 'written' ? [{ x: 1 }] : []);
    await expect(late.query('INSERT INTO t VALUES (2)')).rejects.toThrow();
    expect(await rows(client, 'SELECT x FROM t')).toEqual(before);
    await late.end().catch(() => undefined);
  });
});

/** Fences, with what goes on beside it; `client` is Verdigris's. */
async function fenced(use: (client: Client, server: Server) => Promise<void>): Promise<void> {
  await withDatabase(async (client, server) => {
    await ensureControlSchema(client);
    await client.query('CREATE ROLE app LOGIN REPLICATION; CREATE TABLE t (x int); GRANT ALL ON t TO app');
    await use(client, server);
  });
}

const refused = (server: Server, user: string) =>
  withOwnSession(connectionTo(server, 'test', user), 'test', () => Promise.resolve('let in')).catch(
    (error: Error) => error.message,
  );

test('a session of replication=database, which runs SQL too, is ended by the fence, and one of Verdigris lives on', async () => {
  await fenced(async (client, server) => {
    const connector = new pg.Client({ ...connectionTo(server, 'test', 'app'), replication: 'database' } as object);
    const gone = new Promise((resolve) => connector.on('error', resolve));
    await connector.connect();
    await withOwnSession(connectionTo(server, 'test'), 'watch', async (watcher) => {
      await fenceServer(client, 1, 10_000);
      await gone;
      expect((await watcher.query('SELECT 1 AS looks')).rows).toEqual([{ looks: 1 }]);
    });
    expect(await refused(server, 'app')).toContain('pg_hba.conf');
    await unfence(client, 1);
    expect(await refused(server, 'app')).toBe('let in');
  });
});

test('a change of a role that is not committed when the fence closes is undone, and does not hold it up', async () => {
  await fenced(async (client, server) => {
    await client.query('CREATE ROLE admin LOGIN SUPERUSER');
    const admin = new pg.Client(connectionTo(server, 'test', 'admin'));
    const gone = new Promise((resolve) => admin.on('error', resolve));
    await admin.connect();
    await admin.query('BEGIN; ALTER ROLE app NOLOGIN; CREATE ROLE late LOGIN');
    await fenceServer(client, 1, 10_000);
    await gone;
    expect(await fencedRoles(client)).toEqual(['admin', 'app']);
  });
});

test('roles that are made while the fence closes cannot log in once it is closed', async () => {
  await fenced(async (client, server) => {
    await client.query('CREATE ROLE admin LOGIN SUPERUSER');
    let made = 0;
    const admin = new pg.Client(connectionTo(server, 'test', 'admin'));
    admin.on('error', () => undefined);
    await admin.connect();
    const maker = (async () => {
      for (;;) {
        await admin.query(`CREATE ROLE late_${made} LOGIN; ALTER ROLE app LOGIN`);
        made += 1;
      }
    })().catch(() => undefined);
    await waitFor(async () => (made > 20 ? true : undefined), { limit: 10_000, what: 'roles', next: 'see the log.' });
    await fenceServer(client, 1, 10_000);
    await maker;
    expect(
      await rows(client, "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname NOT LIKE 'verdigris%'"),
    ).toEqual([]);
  });
});

test('on a server that CloudNativePG runs the roles of its manager stay open, without a password, and everybody else is closed', async () => {
  await withDatabase(
    async (client, server) => {
      await ensureControlSchema(client);
      await client.query(
        `CREATE ROLE postgres SUPERUSER LOGIN; CREATE ROLE streaming_replica REPLICATION LOGIN;
        CREATE ROLE app LOGIN; CREATE ROLE dba SUPERUSER LOGIN PASSWORD 'x'`,
      );
      const manager = new pg.Client(connectionTo(server, 'test', 'postgres'));
      await manager.connect();
      await fenceServer(client, 1, 10_000);
      expect(await fencedRoles(client)).toEqual(['app', 'dba']);
      expect((await manager.query('SELECT 1 AS works')).rows).toEqual([{ works: 1 }]);
      await requireFenced(client);
      // As an operator that keeps roles by a manifest does, seconds later.
      await client.query('ALTER ROLE app LOGIN');
      await expect(requireFenced(client)).rejects.toMatchObject({ id: 'fence-open' });
      await unfence(client, 1);
      await client.query("ALTER ROLE postgres PASSWORD 'a door'");
      await expect(fenceServer(client, 2, 10_000)).rejects.toMatchObject({ id: 'fence-open' });
      expect(await fencedRoles(client)).toEqual([]);
      await manager.end();
    },
    { 'cnpg.config_sha256': 'written by the instance manager' },
  );
});
