import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, test } from 'vitest';
import { Colours } from '../../../src/delivery/analysis/colours.ts';
import { measureMetric } from '../../../src/delivery/analysis/measure.ts';
import { mirror } from '../../../src/delivery/analysis/mirror/mirror.ts';
import { metricsSchema } from '../../../src/model/delivery-metrics.ts';
import type { DeliveryRecord } from '../../../src/model/delivery-record.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { withEnvironment } from '../../support/environment.ts';
import { indexDropped, slowStatement } from '../support.ts';

/** Milliseconds for which clients' reads are mirrored. */
const length = 6_000;

test('what clients read, by either protocol, is run on the candidate too: what differs and what is slower is named', async () => {
  const migrations = fileURLToPath(new URL('../fixtures/reads-differ', import.meta.url));
  const fill: typeof indexDropped.fill = async (client) => {
    await indexDropped.fill?.(client);
    await client.query('CREATE VIEW prices AS SELECT id, amount FROM goods; GRANT SELECT ON prices TO shop_app');
    await client.query('CREATE SCHEMA own CREATE TABLE mine (n int PRIMARY KEY); INSERT INTO own.mine VALUES (7)');
    await client.query('GRANT USAGE ON SCHEMA own TO shop_app; GRANT SELECT ON own.mine TO shop_app');
  };
  await withEnvironment({ fill, migrations }, async ({ environment, platform, credentials, verb, on }) => {
    await verb('seed');
    await verb('migrate');
    const journal = await readJournal(platform.journal);
    const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
    const client = new pg.Client({
      host,
      port: Number(port),
      user: 'shop_app',
      password: credentials['shop_app'] ?? '',
      database: 'shop',
    });
    await client.connect();
    await client.query('SET search_path TO own, public');
    const end = AbortSignal.timeout(length);
    let asked = 0;
    const clients = async (): Promise<void> => {
      while (!end.aborted) {
        await client.query(slowStatement);
        await client.query({
          name: 'one',
          text: 'SELECT * FROM goods WHERE id = $1::int',
          values: [(asked % 5_000) + 1],
        });
        await client.query('SELECT amount FROM prices WHERE id = $1', [(asked++ % 5_000) + 1]);
        await client.query('SELECT n FROM mine');
        await client.query('SELECT id FROM goods ORDER BY category LIMIT 1');
        await client.query('SELECT now()');
        await client.query('BEGIN; SELECT id FROM goods WHERE id = 1; COMMIT');
      }
    };
    try {
      const colours = new Colours({ environment, platform, journal, record: { candidate: 'green' } }, 5_000);
      const reads = platform.traffic.reads?.(100, end);
      if (!reads) throw new Error('the router shows statements');
      const [report] = await Promise.all([mirror(colours, reads, end), clients()]);
      const of = (part: string) => report.statements.find(({ statement }) => statement.includes(part));
      expect(of('WHERE id = $1::int')).toMatchObject({ differs: 0, undecided: 0, errors: { live: 0, candidate: 0 } });
      expect(of('FROM mine')).toMatchObject({ differs: 0, undecided: 0, errors: { live: 0, candidate: 0 } });
      expect(of('FROM prices')?.differs).toBeGreaterThan(0);
      expect(of('FROM prices')?.seen).toBe('1 rows on both, and not the same ones');
      expect(of('LIMIT')).toMatchObject({ compare: 'times', differs: 0 });
      const slow = of('sum(amount)')?.sample;
      expect(middle(slow?.candidate)).toBeGreaterThan(1.5 * middle(slow?.live));
      expect(Object.keys(report.left)).toContain('now() may give another value each time');

      // As a metric, and where nobody reads anything.
      const record = { candidate: 'green', to: '2', step: { text: 'analysis' } } as DeliveryRecord;
      const parts = { environment, platform, journal, record };
      const { idle } = metricsSchema.parse({ idle: { ready: 'mirror', share: 100, timeout: '4s' } });
      if (!idle) throw new Error('it is declared above');
      const signal = new AbortController().signal;
      expect(await measureMetric(idle, parts, signal)).toMatchObject({ verdict: 'inconclusive' });
      const busy = setInterval(() => void client.query('SELECT amount FROM prices WHERE id = 3'), 20);
      const failed = await measureMetric({ ...idle, timeout: 9_000 }, parts, signal).finally(() => clearInterval(busy));
      expect(failed).toMatchObject({ verdict: 'failure' });
      expect(failed.seen).toContain('FROM prices');

      await on('green', async (green) => {
        const { rows } = await green.query(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'verdigris/analysis'",
        );
        expect(rows).toEqual([{ n: 0 }]);
      });
    } finally {
      await client.end();
    }
  });
});

function middle(values: readonly number[] = []): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
