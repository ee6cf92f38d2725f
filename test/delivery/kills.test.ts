import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Event } from '../../src/model/events.ts';
import { approve } from '../../src/delivery/persons.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { testSettings, withEnvironment } from '../support/environment.ts';
import { good } from '../support/verdict.ts';
import { recordOf, walkOf, withSoftware } from './support.ts';

const program = fileURLToPath(new URL('killed-controller.ts', import.meta.url));
/** More entries than a release has. */
const enough = 120;

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'a controller killed before and after every entry of its record: each verb is done once, and so is the rollback',
  { timeout },
  async () => {
    await withEnvironment({}, async (test) => {
      await withSoftware(test.platform, async (port) => {
        const often = { interval: '50ms', count: 1 };
        const delivery = {
          steps: [
            ...['seed', 'migrate', 'verify', 'canary 50 %', 'pause 100ms'],
            { step: 'analysis', metrics: ['errors'] },
            'approve',
            'switch',
            { step: 'watch 5m', metrics: ['errors'] },
            'retire',
          ],
          metrics: {
            errors: {
              command: [
                process.execPath,
                '-e',
                `fetch('http://127.0.0.1:${port}').then((r) => r.text()).then((t) => process.exit(t.includes('0.2') ? 1 : 0))`,
              ],
              ...often,
            },
          },
        };
        const { environment, parts } = await walkOf(test, delivery);
        const declaration = path.join(test.folder, 'walks.json');
        const raw = JSON.parse(await readFile(test.declaration, 'utf8')) as object;
        await writeFile(declaration, JSON.stringify({ ...raw, live: 'green', delivery }));
        const begun: string[] = [];
        const seen = new Set<string>();
        const run = async (side: 'before' | 'after'): Promise<boolean> => {
          const child = execa(process.execPath, [program, declaration, test.home, JSON.stringify(testSettings), side], {
            reject: false,
            timeout: 120_000,
          });
          // As they come: the oracle takes the time of a commit point from when its event does.
          for await (const line of child) {
            const event = JSON.parse(line) as Event;
            test.emit(event);
            if (event.type === 'operation') begun.push(event.verb);
          }
          const { signal } = await child;
          return signal === 'SIGKILL';
        };
        const { verdict } = await test.clients(async () => {
          for (let entry = 0; entry < enough; entry++) {
            const killed = (await run('before')) && (await run('after'));
            const { step, approvals, ended } = await recordOf(test);
            seen.add(step.text);
            if (step.text === 'approve' && approvals.length === 0) await approve(parts, {});
            if (!killed || ended) break;
          }
        });
        expect(verdict).toMatchObject(good);
        expect([...seen]).toEqual(environment.delivery.steps.slice(0, -1).map(({ text }) => text));
        // A verb that was done is not done again by who comes after: what is written down is the state.
        expect(begun).toEqual(['seed', 'migrate', 'verify', 'canary', 'switch', 'rollback']);
        expect(await recordOf(test)).toMatchObject({
          ended: { outcome: 'rolled back' },
          verdicts: [
            { step: 'analysis', verdict: 'success' },
            { step: 'watch 5m', verdict: 'failure' },
          ],
        });
        expect(await readJournal(test.platform.journal)).toMatchObject({
          state: 'migrated',
          live: 'blue',
          operation: null,
        });
        expect(test.commits.map(({ to }) => to)).toEqual(['green', 'blue']);
      });
    });
  },
);
