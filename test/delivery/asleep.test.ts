import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Event } from '../../src/model/events.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { testSettings, withEnvironment } from '../support/environment.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { recordOf } from './support.ts';

const program = fileURLToPath(new URL('killed-controller.ts', import.meta.url));
const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const minute = 60_000;

/** Ten times what an idle machine needs, but for the windows. */
const timeout = 1_500_000;

test(
  'a controller that sleeps through a window, or in the midst of its switchover, moves nothing outside of one; with another beside it, once',
  { timeout },
  async () => {
    await withEnvironment({}, async (test) => {
      // Where it is about noon, so that no window is cut by midnight.
      const ahead = 12 - new Date().getUTCHours();
      const timeZone = `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
      const clock = (at: number): string => new Date(at + ahead * 60 * minute).toISOString().slice(11, 16);
      const raw = JSON.parse(await readFile(test.declaration, 'utf8')) as object;
      const started = async (spans: readonly (readonly [number, number])[]) => {
        const windows = spans.map(([from, to]) => ({ days, from: clock(from), to: clock(to) }));
        const delivery = { steps: ['seed', 'migrate', 'verify', 'switch', 'retire'], timeZone, windows };
        const file = path.join(test.folder, 'walks.json');
        await writeFile(file, JSON.stringify({ ...raw, live: 'green', retention: { retained: '1s' }, delivery }));
        const child = execa(process.execPath, [program, file, test.home, JSON.stringify(testSettings), 'never'], {
          reject: false,
          timeout,
        });
        const seen: Event[] = [];
        const ended = (async () => {
          for await (const line of child) {
            const event = JSON.parse(line) as Event;
            seen.push(event);
            test.emit(event);
          }
          return (await child).exitCode;
        })();
        const sleep = (): boolean => child.kill('SIGSTOP');
        return { child, ended, sleep, wake: () => child.kill('SIGCONT'), seen };
      };
      const begins = (controller: Awaited<ReturnType<typeof started>>, step: string): Promise<unknown> => {
        const before = controller.seen.length;
        return until(
          `it begins ${step}`,
          () =>
            Promise.resolve(
              controller.seen
                .slice(before)
                .some((event) => event.type === 'step' && event.step === step && event.status === 'started'),
            ),
          2 * minute,
        );
      };
      const waits = (): Promise<unknown> =>
        until(
          'it waits for a window',
          async () => /waits for a window/.test((await recordOf(test)).waits ?? ''),
          minute,
        );
      const nothingMoved = async (): Promise<void> => {
        await until(
          'nothing is under way',
          async () => (await readJournal(test.platform.journal)).operation === null,
          minute,
        );
        expect(await readJournal(test.platform.journal)).toMatchObject({ state: 'verified', live: 'blue' });
        expect((await test.platform.traffic.status()).held).toBeUndefined();
      };
      const { verdict } = await test.clients(async () => {
        // Half a day away.
        const first = await started([[Date.now() + 360 * minute, Date.now() + 361 * minute]]);
        await until(
          'it waits',
          async () => /window/.test((await readJournal(test.platform.journal)).delivery?.waits ?? ''),
          5 * minute,
        );
        first.child.kill('SIGTERM');
        await first.ended;

        const base = Math.ceil(Date.now() / minute) * minute;
        const at = (minutes: number): number => base + minutes * minute;
        const untilTime = (time: number): Promise<void> => delay(Math.max(0, time - Date.now()));
        const one = await started([
          [at(1), at(2)],
          [at(3), at(4)],
          [at(5), at(9)],
        ]);
        await waits();
        await delay(2_000);
        one.sleep();
        await untilTime(at(2) + 2_000);
        one.wake();
        await delay(10_000);
        await nothingMoved();

        await untilTime(at(3) - 5_000);
        await begins(one, 'fence');
        one.sleep();
        expect(Date.now()).toBeLessThan(at(4));
        await untilTime(at(4) + 2_000);
        one.wake();
        await waits();
        await nothingMoved();

        await untilTime(at(5) - 5_000);
        await begins(one, 'fence');
        one.sleep();
        const two = await started([[at(5), at(9)]]);
        await until(
          'the other one has moved the writes',
          async () => (await readJournal(test.platform.journal)).live === 'green',
          3 * minute,
        );
        one.wake();
        expect([await one.ended, await two.ended]).toEqual([0, 0]);
      });
      expect(verdict).toMatchObject(good);
      expect(test.commits.map(({ to }) => to)).toEqual(['green']);
      expect(await recordOf(test)).toMatchObject({ ended: { outcome: 'released' } });
      expect(await readJournal(test.platform.journal)).toMatchObject({
        state: 'single',
        live: 'green',
        operation: null,
      });
    });
  },
);
