import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { startClients } from '../../src/migrations/rehearsal/clients.ts';
import { rows, withClient } from '../../src/postgres/client.ts';
import { connectionTo, withServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';

test('a load arrives by the clock: what a lock stops counts from then, and leaves connections for what another one stops', async () => {
  await withServer(async (server) => {
    const at = connectionTo(server);
    await withClient(at, 'test', async (client) => {
      await client.query('CREATE TABLE one (id int); CREATE TABLE two (id int)');
      const texts = ['SELECT FROM one', 'SELECT FROM two', 'SELECT 3'];
      let turn = 0;
      const next = () => ({ text: texts[turn++ % texts.length] ?? '' });
      const load = startClients({ roles: [{ as: at, next }], clients: 8, rate: 100 });
      // Not pg_stat_activity, of which a transaction sees one state alone.
      const stopped = (): Promise<{ name: string; count: number }[]> =>
        rows(
          client,
          'SELECT relation::regclass::text AS name, count(*)::int AS count FROM pg_locks WHERE NOT granted GROUP BY 1 ORDER BY 1',
        );
      const both = [
        { name: 'one', count: 2 },
        { name: 'two', count: 2 },
      ];
      try {
        await until('the load works', () => Promise.resolve(load.operations.length > 3 || undefined));
        await client.query('BEGIN; LOCK one');
        await until('the first lock stops it', async () => ((await stopped()).length === 1 ? true : undefined));
        const held = load.operations.length;
        await client.query('LOCK two');
        await until('both do', async () => isDeepStrictEqual(await stopped(), both) || undefined);
        await until('the rest goes on', () => Promise.resolve(load.operations.length > held + 30 || undefined));
        await client.query('COMMIT');
        const waited = () => load.operations.filter(({ text, ms }) => text === 'SELECT FROM one' && ms > 200);
        // More than were sent: those that arrived behind them waited too.
        await until('it is told', () => Promise.resolve(waited().length > 4 || undefined));
      } finally {
        await load.stop();
      }
      expect(load.operations.filter(({ error }) => error !== undefined)).toEqual([]);
    });
  });
});
