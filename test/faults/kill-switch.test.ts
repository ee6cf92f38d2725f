import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay } from './kill-chain.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { nothing, served, withBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'faults 23, 24, 25: switch and retire, killed around every journal entry and at every held step: before the commit point undone, after it forward',
  { timeout },
  async () => {
    const migrations = await temporaryFolder();
    await writeFile(path.join(migrations, '0001_count.sql'), 'UPDATE counted SET times = times + 1;');
    const fill = async (client: Client) =>
      void (await client.query(
        'CREATE TABLE counted (id int PRIMARY KEY, times int NOT NULL); INSERT INTO counted VALUES (1, 0), (2, 0)',
      ));
    await withBench({ deadman: false, migrations, fill }, async (bench) => {
      const counted = (colour: 'blue' | 'green') =>
        bench.on(colour, (client) => rows(client, 'SELECT id, times FROM counted ORDER BY id'));
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        await bench.on('blue', (client) => client.query('INSERT INTO counted VALUES (3, 0)'));
        await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
        await bench.harvest();
        // What a migration held back ran once, over what was written behind it, and is on the retained colour too.
        const once = [1, 2, 3].map((id) => ({ id, times: 1 }));
        expect(await counted('green')).toEqual(once);
        await until('it is on blue', async () => (await counted('blue')).every((row) => row['times'] === 1));
        expect(await counted('blue')).toEqual(once);
        coversThePlan('retire', await killAlongTheWay(bench, 'retire'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({
        state: 'single',
        live: 'green',
        liveRelease: '2',
        release: null,
        stream: null,
        closing: null,
      });
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await bench.platform.history.list()).toMatchObject([{ outcome: 'released' }]);
    });
    await rm(migrations, { recursive: true });
  },
);
