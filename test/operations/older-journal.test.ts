import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { fencedRoles, fenceServer, unfence } from '../../src/postgres/fence.ts';
import { withEnvironment } from '../support/environment.ts';

test('a journal older than what a database has seen is refused and opens nothing; the newest is taken, also with leases lost', async () => {
  await withEnvironment({}, async ({ platform, folder, operator, on, verb }) => {
    const { journal, leases } = platform.places;
    const kept = path.join(folder, 'kept');
    await cp(journal, kept, { recursive: true });
    await operator(async (c) => {
      await c.ledger.write((known) => known);
      await c.on('blue', (client) => fenceServer(client, c.ledger.token, 1_000));
    });
    const newest = path.join(folder, 'newest');
    await cp(journal, newest, { recursive: true });

    await rm(journal, { recursive: true });
    await cp(kept, journal, { recursive: true });
    for (const command of [() => operator(() => Promise.resolve()), () => verb('seed')])
      await expect(command()).rejects.toMatchObject({ code: 'refused', id: 'journal-older' });
    expect(await on('blue', fencedRoles)).toContain('shop_app');

    for (const lost of [journal, leases]) await rm(lost, { recursive: true });
    await mkdir(leases);
    await cp(newest, journal, { recursive: true });
    await operator((c) => c.on('blue', (client) => unfence(client, c.ledger.token)));
    expect(await on('blue', fencedRoles)).toEqual([]);
  });
});

test('whoever takes the lease marks it in the database before he reads the journal: who slept meanwhile can open nothing', async () => {
  await withEnvironment({}, async ({ operator, on }) => {
    let sleeper = 0;
    await operator((c) => Promise.resolve(void (sleeper = c.ledger.token)));
    await operator(async (c) => {
      expect(await on('blue', (client) => rows(client, 'SELECT token::int AS token FROM verdigris.fence'))).toEqual([
        { token: c.ledger.token },
      ]);
      await expect(on('blue', (client) => unfence(client, sleeper))).rejects.toMatchObject({ id: 'stale-token' });
    });
  });
});
