import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { readStatus } from '../../../src/operations/reads/status.ts';
import { withEnvironment } from '../../support/environment.ts';
import { failure } from '../../support/failure.ts';

test('a proof is renewed while a canary is under way; one that fails leaves the readers on the live colour, and says so', async () => {
  await withEnvironment({}, async ({ environment, platform, verb, on }) => {
    const seen = async (): Promise<unknown> => {
      const { state, traffic, troubles } = await readStatus(environment, platform);
      const { release } = await readJournal(platform.journal);
      return { state, routed: traffic.canary, noted: release?.canary, troubles: troubles.map(({ id }) => id) };
    };
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    await verb('canary', { canary: 30 });
    expect(await seen()).toEqual({ state: 'canary', routed: 30, noted: 30, troubles: [] });
    await verb('verify');
    expect(await seen()).toEqual({ state: 'verified', routed: 0, noted: 0, troubles: [] });

    await verb('canary', { canary: 30 });
    await on('green', (client) => client.query("ALTER ROLE shop_app SET work_mem = '7MB'"));
    expect(await failure(verb('verify'))).toMatchObject({
      id: 'data-differs',
      seen: expect.stringContaining('1 settings') as string,
    });
    expect(await seen()).toEqual({ state: 'canary', routed: 0, noted: 0, troubles: ['canary-withdrawn'] });
    await on('green', (client) => client.query('ALTER ROLE shop_app RESET work_mem'));
    await verb('canary', { canary: 30 });
    expect(await seen()).toEqual({ state: 'canary', routed: 30, noted: 30, troubles: [] });
  });
});
