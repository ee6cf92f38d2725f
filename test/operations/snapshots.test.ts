import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';

test('each attempt at a switchover has a snapshot of its own, and a release removes none that it did not make', async () => {
  await withEnvironment({ limits: { pause: '300ms' } }, async ({ platform, credentials, environment, verb }) => {
    const strange = platform.places.snapshot('last-1');
    await mkdir(strange, { recursive: true });
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);

    const [host = '', port] = (await platform.traffic.status()).address.split(':');
    const user = 'shop_app';
    await withClient(
      { host, port: Number(port), user, password: credentials[user] ?? '', database: environment.database },
      'test',
      async (client) => {
        await client.query('BEGIN');
        await expect(verb('switch')).rejects.toMatchObject({ id: 'pause-timeout' });
        await client.query('COMMIT');
      },
    );
    const first = (await readJournal(platform.journal)).release;
    expect(first?.fallback).toBeUndefined();
    expect(await platform.servers.snapshots()).toEqual(['last-1']);

    await verb('switch');
    const second = (await readJournal(platform.journal)).release;
    expect(await platform.servers.snapshots()).toEqual([second?.fallback, 'last-1']);
    expect(first?.snapshots).not.toContain(second?.fallback);

    await verb('retire');
    expect(await platform.servers.snapshots()).toEqual(['last-1']);
  });
});
