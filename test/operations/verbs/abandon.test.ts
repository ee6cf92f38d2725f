import { expect, test } from 'vitest';
import { withEnvironment } from '../../support/environment.ts';
import { leftovers, nothing } from '../../support/leftovers.ts';
import { good } from '../../support/verdict.ts';

test('every state before the switchover can be left, and the live colour does not notice', async () => {
  await withEnvironment({}, async (environment) => {
    const { verb, clients, platform, on, events } = environment;
    const chain = ['seed', 'migrate', 'verify', 'canary'] as const;
    const { verdict } = await clients(async () => {
      for (let length = 1; length <= chain.length; length++) {
        for (const each of chain.slice(0, length)) await verb(each, { canary: 50 });
        await verb('abandon');
        expect(await leftovers(platform, 'blue', on)).toEqual(nothing);
      }
      // Of a candidate whose disk is full nothing can be written any more, the file of its second lock least of all.
      await verb('seed');
      await on('green', (client) =>
        client.query("ALTER ROLE verdigris_operator SET verdigris.closed_file = '/dev/full'"),
      );
      await verb('abandon');
      expect(await leftovers(platform, 'blue', on)).toEqual(nothing);
    });
    expect(verdict).toMatchObject(good);
    expect(events).toContainEqual(
      expect.objectContaining({ step: 'withdraw', detail: 'green could not be closed, its disk is full' }),
    );
  });
});
