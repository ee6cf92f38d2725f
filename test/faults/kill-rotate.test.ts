import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { withHonestClients } from '../support/honest-client.ts';
import { refused, rotate } from '../support/rotate.ts';
import { nothing, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

/** Milliseconds that a login of before works on: long enough for a client that has just read it. */
const grace = 1_500;

/** More writes than any verb makes. */
const enough = 60;

/**
 * Kills a verb at each entry that it makes in the journal, right before and right after it by turns, each time from its
 * beginning, and has `beside` do what it does in the state that this leaves. Returns how many entries there were.
 */
async function atEachEntry(
  bench: FaultBench,
  verb: Verb,
  beside: () => Promise<void>,
  again: readonly Verb[],
): Promise<number> {
  const { state: from } = await bench.journal();
  for (let write = 1; write < enough; write++) {
    const side = write % 2 === 0 ? 'before' : 'after';
    const ending = await bench.operators.run(verb, { kill: { side, write, from: 'opening' } });
    if (ending.how === 'done') return write - 1;
    expect(ending, `${verb}, ${side} write ${write}`).toEqual({ how: 'killed' });
    await beside();
    if ((await bench.journal()).state !== from) for (const each of again) await bench.verb(each);
  }
  throw new Error(`${verb} does not come to its end`);
}

test(
  'a rotation where a switchover or a rollback was killed at any entry: no login fails, and the old passwords end',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      const { platform } = bench;
      let rotated = 0;
      let promised = 0;
      const beside = async (): Promise<void> => {
        const role = rotated++ % 2 === 0 ? 'shop_app' : 'shop_reader';
        const before = (await platform.credentials.read(role))?.current;
        // The turn before the last one has been this role's: its login was promised until then.
        await delay(Math.max(0, promised - Date.now()));
        await rotate(bench, role, { grace });
        promised = Date.now() + grace;
        expect((await platform.credentials.read(role))?.current).not.toEqual(before);
      };
      const first = (await platform.credentials.read('shop_app'))?.current;
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      const { failed, logins } = await withHonestClients(platform, ['shop_app', 'shop_reader'], async () => {
        expect(await atEachEntry(bench, 'switch', beside, ['rollback', 'verify'])).toBeGreaterThan(10);
        expect(await atEachEntry(bench, 'rollback', beside, ['verify', 'switch'])).toBeGreaterThan(10);
      });
      expect(failed).toEqual([]);
      expect(logins).toBeGreaterThan(rotated);
      await bench.verb('abandon');
      expect(await refused(bench, first ?? { login: '', password: '' })).toBe(true);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
