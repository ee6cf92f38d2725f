import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { failure } from '../../support/failure.ts';
import { allOff, allOn, withFlagStores } from '../../support/flag-stores.ts';

test('flags are turned on once the writes have moved and back before they do again; what a store did not take, the next command does', async () => {
  await withFlagStores(async ({ platform, asked, away, run, next, variant }) => {
    for (const verb of ['seed', 'migrate', 'verify'] as const) await run(verb);
    expect(await variant()).toBe('off');
    expect(asked()).toEqual(allOff);

    // A store that is away stops no switchover; the next command turns there what was not.
    away(true);
    await run('switch');
    expect(await variant()).toBe('on');
    expect((await readJournal(platform.journal)).flags).toMatchObject({
      file: { checkout: true },
      ld: { checkout: false },
    });
    away(false);
    await next();
    expect(asked()).toEqual(allOn);

    // Before a rollback it does; then nothing has moved, and the flags are as they were.
    away(true);
    const refused = await failure(run('rollback'));
    expect(refused).toMatchObject({ id: 'flags-not-turned' });
    expect(refused.seen).toContain('ld: it answered 503: away');
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green', operation: null });
    expect(await variant()).toBe('on');
    away(false);
    await run('rollback');
    expect(await variant()).toBe('off');
    expect(asked()).toEqual(allOff);
    expect((await readJournal(platform.journal)).live).toBe('blue');
  });
});
