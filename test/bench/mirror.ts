import pg from 'pg';
import { Colours } from '../../src/delivery/analysis/colours.ts';
import { mirror } from '../../src/delivery/analysis/mirror/mirror.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { quantile, type BenchRow } from './measure.ts';

/** Milliseconds of each stretch in which a client reads. */
const stretch = 8_000;
const ids = 400_000;
const settings = { shared_buffers: '128MB' };
const fill = async (client: pg.Client): Promise<void> => {
  await client.query(`CREATE TABLE item (id int PRIMARY KEY, text text);
    INSERT INTO item SELECT i, repeat('x', 150) FROM generate_series(1, ${ids}) i;
    GRANT SELECT ON item TO shop_app; CREATE EXTENSION pg_prewarm`);
};

/** What a client that reads through the router feels of it while a tenth, and all, of its reads are mirrored. */
export async function benchMirror(): Promise<BenchRow[]> {
  return withEnvironment({ settings, fill }, async (test) => {
    await test.verb('seed');
    await test.verb('migrate');
    const { environment, platform } = test;
    const journal = await readJournal(platform.journal);
    const mirrored = async (share: number): Promise<number[]> => {
      const end = AbortSignal.timeout(stretch);
      const seen = platform.traffic.reads?.(share, end);
      if (!seen) throw new Error('the router shows statements');
      const colours = new Colours({ environment, platform, journal, record: { candidate: 'green' } }, 5_000);
      const [times] = await Promise.all([reads(test, end), mirror(colours, seen, end)]);
      return times;
    };
    const alone = (): Promise<number[]> => reads(test, AbortSignal.timeout(stretch));
    const before = await alone();
    const some = await mirrored(10);
    const all = await mirrored(100);
    const without = [...before, ...(await alone())];
    return [some, all].map((times, index) => ({
      what: `a client's read while ${index === 0 ? 10 : 100} % are mirrored`,
      value: spread(times),
      against: `${spread(without)} without`,
      ratio: quantile(times, 0.5) / quantile(without, 0.5),
    }));
  });
}

/** Milliseconds after a switchover. */
const [second, minute] = [1_000, 60_000];

/** Reads of random rows in the first second and minute on the new live colour, with and without a warmed cache. */
export async function benchWarm(): Promise<BenchRow[]> {
  const first = (warm: string): Promise<{ times: number[]; missed: number }> =>
    withEnvironment({ settings, fill, limits: { warm } }, async (test) => {
      await reads(test, AbortSignal.timeout(stretch / 2));
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await test.verb(verb);
      const before = await missedBlocks(test);
      const times = await reads(test, AbortSignal.timeout(minute));
      return { times, missed: (await missedBlocks(test)) - before };
    });
  const [cold, warmed] = [await first('0s'), await first('10s')];
  return [second, minute].map((length) => {
    const [warm, not] = [within(warmed.times, length), within(cold.times, length)];
    return {
      what: `reads in the first ${length === second ? 'second' : 'minute'}, cache warmed`,
      value: `${spread(warm)}, ${warmed.missed} blocks missed`,
      against: `${spread(not)}, ${cold.missed} blocks missed, not warmed`,
      ratio: quantile(warm, 0.95) / quantile(not, 0.95),
    };
  });
}

/** Of the table that is read, since its server began: a verification reads it too. */
function missedBlocks(test: TestEnvironment): Promise<number> {
  return test.on('green', async (client) => {
    const { rows } = await client.query<{ missed: number }>(
      "SELECT (heap_blks_read + idx_blks_read)::int AS missed FROM pg_statio_user_tables WHERE relname = 'item'",
    );
    return rows[0]?.missed ?? 0;
  });
}

/** Those of the first `length` milliseconds. */
function within(times: readonly number[], length: number): number[] {
  let past = 0;
  return times.filter((each) => (past += each) <= length);
}

/** Milliseconds of each read of one client, one after another, until the signal. */
async function reads({ platform, credentials }: TestEnvironment, end: AbortSignal): Promise<number[]> {
  const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
  const password = credentials['shop_app'] ?? '';
  const client = new pg.Client({ host, port: Number(port), user: 'shop_app', password, database: 'shop' });
  await client.connect();
  const times: number[] = [];
  while (!end.aborted) {
    const begun = performance.now();
    await client.query('SELECT text FROM item WHERE id = $1', [1 + Math.floor(Math.random() * ids)]);
    times.push(performance.now() - begun);
  }
  await client.end();
  return times;
}

function spread(times: readonly number[]): string {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantile(times, q).toFixed(2));
  return `p50 ${p50}, p95 ${p95}, p99 ${p99} ms`;
}
