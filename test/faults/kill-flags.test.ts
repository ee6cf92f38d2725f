import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { testSettings } from '../support/environment.ts';
import { allOff, allOn, withFlagStores } from '../support/flag-stores.ts';
import { Operators } from './operators.ts';

test('an operator killed between the commit point and the flags, or between the flags and a rollback: each is turned once, by the next command', async () => {
  await withFlagStores(async ({ declaration, home, platform, asked, run, next, variant }) => {
    const operators = new Operators(declaration, { kind: 'local', home, settings: testSettings });
    try {
      for (const verb of ['seed', 'migrate', 'verify'] as const) await run(verb);
      expect(asked()).toEqual(allOff);
      // Clients go on already, and no flag has been turned.
      expect(await operators.run('switch', { dieAfter: 'resume' })).toEqual({ how: 'killed' });
      expect((await readJournal(platform.journal)).live).toBe('green');
      expect([asked(), await variant()]).toEqual([[], 'off']);
      await next();
      expect([asked(), await variant()]).toEqual([allOn, 'on']);
      await next();
      expect(asked()).toEqual([]);

      // The flags were turned back and nothing has moved: whoever comes next undoes both.
      expect(await operators.run('rollback', { dieAfter: 'flags-back' })).toEqual({ how: 'killed' });
      expect([asked(), await variant()]).toEqual([allOff, 'off']);
      await next();
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green', operation: null });
      expect([asked(), await variant()]).toEqual([allOn, 'on']);
    } finally {
      await operators.close();
    }
  });
});
