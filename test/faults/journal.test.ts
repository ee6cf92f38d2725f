import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { good } from '../support/verdict.ts';
import { nothing, served, withBench } from './support.ts';
import { failure } from '../support/failure.ts';

test(
  'fault 33: a journal cut short, from a newer version, or edited is refused with what to do; nothing changes, and the clients do not notice',
  { timeout: 600_000 },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        await bench.verb('seed');
        const { journal: store, places } = bench.platform;
        const stored = await store.read();
        if (!stored) throw new Error('there is a journal');
        const { where, text } = stored;
        const document = JSON.parse(text) as { digest: string; journal: Record<string, unknown> };
        const damages = [
          ['journal-cut', text.slice(0, text.length / 2)],
          ['journal-cut', ''],
          ['journal-newer', JSON.stringify({ ...document, journal: { ...document.journal, version: 2 } })],
          ['journal-edited', JSON.stringify({ ...document, journal: { ...document.journal, live: 'green' } })],
          ['journal-edited', JSON.stringify({ ...document, journal: { ...document.journal, state: 'switched' } })],
        ] as const;
        for (const [id, damaged] of damages) {
          await writeFile(where, damaged);
          const before = await readdir(places.journal);
          for (const attempt of [
            () => bench.verb('migrate'),
            () => bench.verb('abandon'),
            () => bench.recover(),
            () => readStatus(bench.environment, bench.platform),
          ]) {
            const refused = await failure(attempt());
            expect(refused).toMatchObject({ code: 'refused', id });
            expect(refused.seen).toContain(where);
            expect(refused.next).toMatch(/nothing was changed/);
          }
          expect(await readdir(places.journal)).toEqual(before);
          expect(await readFile(where, 'utf8')).toBe(damaged);
          await served(workload);
          // The revision before it stays beside it, whole: it is what the advice tells to put back.
          const neighbours = before.filter((name) => path.join(places.journal, name) < where && name.endsWith('.json'));
          expect(neighbours.length).toBeGreaterThan(0);
          await writeFile(where, text);
          expect(await readJournal(store)).toMatchObject({ state: 'seeded' });
        }
        await bench.verb('abandon');
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
