import { expect, test } from 'vitest';
import { withEnvironment } from '../../support/environment.ts';
import { leftovers, nothing } from '../../support/leftovers.ts';
import { good } from '../../support/verdict.ts';

test('every state before the switchover can be left, and the live colour does not notice', async () => {
  await withEnvironment({}, async (environment) => {
    const { verb, clients, platform, on } = environment;
    const chain = ['seed', 'migrate', 'verify', 'canary'] as const;
    const { verdict } = await clients(async () => {
      for (let length = 1; length <= chain.length; length++) {
        for (const each of chain.slice(0, length)) await verb(each, { canary: 50 });
        await verb('abandon');
        expect(await leftovers(platform, 'blue', on)).toEqual(nothing);
      }
    });
    expect(verdict).toMatchObject(good);
  });
});
