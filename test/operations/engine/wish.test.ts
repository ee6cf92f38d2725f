import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { withOperator } from '../../../src/operations/operator.ts';
import { perform } from '../../../src/operations/perform.ts';
import { withEnvironment } from '../../support/environment.ts';

test('a wish to stop that comes behind the commit point comes too late: what waits there goes on to its end', async () => {
  await withEnvironment({}, async ({ environment, platform, verb, emit }) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const wish = new AbortController();
    const parts = {
      environment,
      platform,
      signal: wish.signal,
      emit: (event: Parameters<typeof emit>[0]): void => {
        emit(event);
        if (event.type === 'step' && event.step === 'commit-data') wish.abort(new Error('stop'));
      },
    };
    await withOperator(parts, 'switch', (c) => perform(c, 'switch', { early: true })).catch(() => undefined);
    expect(wish.signal.aborted).toBe(true);
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', operation: null, closing: null });
  });
});
