import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { withOperator } from '../../../src/operations/operator.ts';
import { LocalPlatform } from '../../../src/platform/local/platform.ts';
import { rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { testHome } from '../../support/binaries.ts';
import { testSettings } from '../../support/environment.ts';
import { withExternalServer } from '../../support/external.ts';
import { temporaryFolder, testMajor } from '../../support/postgres.ts';

test('journal and lease of an environment are on a third server; who destroys it takes them away there', async () => {
  const folder = await temporaryFolder();
  await withExternalServer(testMajor, async ({ port, superuser, passwordFile }) => {
    const raw = {
      name: 'shop',
      platform: 'local',
      journal: {
        kind: 'postgres',
        host: '127.0.0.1',
        port,
        database: 'postgres',
        user: 'postgres',
        password: { file: passwordFile },
        sslmode: 'disable',
      },
      database: 'shop',
      roles: { application: ['shop_app'] },
      colours: { blue: { release: '1', postgres: testMajor } },
      live: 'blue',
    };
    const environment = parseEnvironment(raw, 'the test');
    const home = path.join(folder, 'home');
    await testHome(home, testMajor);
    const platform = await LocalPlatform.open(environment, home, testSettings);
    const kept = (table: string): Promise<unknown[]> =>
      withClient(superuser, 'test', (client) => rows(client, `SELECT environment FROM verdigris_journal.${table}`));
    try {
      await platform.lifecycle.create({ raw });
      const signal = new AbortController().signal;
      await withOperator({ environment, platform, emit: () => undefined, signal }, 'recover', async (c) => {
        expect(await platform.leases.holder()).toMatchObject({ holder: expect.stringContaining('verdigris recover') });
        expect(c.journal).toMatchObject({ state: 'single', live: 'blue' });
      });
      expect((await readJournal(platform.journal)).environment).toBe('shop');
      expect(await kept('journal')).toEqual([{ environment: 'shop' }]);
    } finally {
      await platform.lifecycle.destroy('blue');
      await platform.close();
    }
    expect([...(await kept('journal')), ...(await kept('lease'))]).toEqual([]);
  });
  await rm(folder, { recursive: true });
});
