import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Server } from '../../../src/platform/local/server.ts';
import { one, rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { describeComparison } from '../../../src/postgres/compare/index.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';
import { account, between, withSides } from './support.ts';
import { subtle, types } from './values.ts';
import { until } from '../../support/until.ts';

let server: Server;
const finished = Promise.withResolvers<void>();
let running: Promise<void>;
beforeAll(async () => {
  const started = Promise.withResolvers<void>();
  running = withServer(async (made) => {
    server = made;
    started.resolve();
    await finished.promise;
  });
  running.catch(started.reject);
  await started.promise;
}, 60_000);
afterAll(async () => {
  finished.resolve();
  await running;
}, 60_000);

test('every type: equal values are equal, and values that equality or folding takes for one are not', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    const icu = (await rows(live, "SELECT FROM pg_collation WHERE collprovider = 'i' LIMIT 1")).length > 0;
    const cases = icu ? subtle : subtle.filter(([type]) => !type.includes('caseless'));
    const columns = cases.map(([type], index) => `c${index} ${type}`).join(', ');
    const setup = `${icu ? types : types.replace(/CREATE COLLATION[^;]*;/, '')} CREATE TABLE t (id int PRIMARY KEY, ${columns})`;
    for (const side of [live, candidate]) {
      await side.query(setup);
      // Row 0: all values; row n: the same.
      const placeholders = cases.map((_, index) => `$${index + 1}`).join(', ');
      await side.query(
        `INSERT INTO t VALUES (0, ${placeholders})`,
        cases.map(([, value]) => value),
      );
      await side.query(
        `INSERT INTO t SELECT n, ${cases.map((_, index) => `c${index}`).join(', ')} FROM t, generate_series(1, ${cases.length}) n`,
      );
    }
    expect(account(await compare())).toEqual([]);
    for (const [index, [, , other]] of cases.entries())
      await candidate.query(`UPDATE t SET c${index} = $1 WHERE id = ${index + 1}`, [other]);
    const result = await compare();
    const seen = result.tables[0]?.differences ?? [];
    expect(seen.map(({ kind, count }) => [kind, count])).toEqual([['different', cases.length]]);
    // One at a time for the columns that the examples name.
    for (const [index, [type, value, other]] of cases.entries()) {
      await live.query('TRUNCATE t');
      await candidate.query('TRUNCATE t');
      await live.query(`INSERT INTO t (id, c${index}) VALUES (1, $1)`, [value]);
      await candidate.query(`INSERT INTO t (id, c${index}) VALUES (1, $1)`, [other]);
      expect([type, value, other, account(await compare({ connections: 1 }))]).toEqual([
        type,
        value,
        other,
        [`public.t different 1 1 c${index}`],
      ]);
    }
  });
}, 120_000);

const many =
  'CREATE TABLE t (id int8 PRIMARY KEY, v text, n int); INSERT INTO t SELECT i * 10, md5(i::text), i FROM generate_series(1, 20000) i; VACUUM ANALYZE t';

async function fill(sql: string, ...sides: readonly { query(sql: string): Promise<unknown> }[]): Promise<void> {
  for (const side of sides) for (const statement of sql.split(';')) await side.query(statement);
}

describe('seeded differences in 20,000 rows of many chunks', () => {
  const cases: readonly (readonly [name: string, change: string, expected: readonly string[]])[] = [
    ['none', 'SELECT', []],
    ['one changed column', "UPDATE t SET v = 'x' WHERE id = 77770", ['public.t different 1 77770 v']],
    [
      'two swapped values',
      'UPDATE t SET n = CASE id WHEN 100000 THEN 10001 ELSE 10000 END WHERE id IN (100000, 100010)',
      ['public.t different 2 100000 n'],
    ],
    ['two columns of one row', "UPDATE t SET n = NULL, v = '' WHERE id = 50", ['public.t different 1 50 v n']],
    ['a row missing at the start', 'DELETE FROM t WHERE id = 10', ['public.t missing on candidate 1 10']],
    ['a row missing at the end', 'DELETE FROM t WHERE id = 200000', ['public.t missing on candidate 1 200000']],
    [
      'rows beyond both ends',
      "INSERT INTO t VALUES (-5, 'a', 1), (999999999999, 'b', 1)",
      ['public.t extra on candidate 2 -5'],
    ],
    [
      'a row moved to another key',
      'UPDATE t SET id = 100005 WHERE id = 300',
      ['public.t missing on candidate 1 300', 'public.t extra on candidate 1 100005'],
    ],
    ['half of the rows missing', 'DELETE FROM t WHERE id > 150000', ['public.t missing on candidate 5000 150010']],
  ];
  for (const [name, change, expected] of cases) {
    test(name, async () => {
      await withSides(server, async ({ live, candidate, compare }) => {
        await fill(many, live, candidate);
        await candidate.query(change);
        const result = await compare({ chunkBytes: 65536 });
        expect(result.tables[0]?.method).toBe(expected.length === 0 ? 'whole' : 'ranges');
        if (expected.length > 0) expect(result.tables[0]?.chunks).toBeGreaterThan(10);
        expect(account(result).sort()).toEqual([...expected].sort());
        expect(result.equal).toBe(expected.length === 0);
        const { count } = await one<{ count: number }>(candidate, 'SELECT count(*)::int AS count FROM t');
        expect([result.rowsLive, result.rowsCandidate, result.mode, result.unchecked]).toEqual([
          20_000,
          count,
          'complete',
          [],
        ]);
      });
    });
  }
});

test('a whole table missing stays bounded: counted up to a limit, examples few, the rest said plainly', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await fill(many.replace('20000', '60000'), live, candidate);
    await candidate.query('TRUNCATE t');
    const result = await compare({ chunkBytes: 200_000 });
    const [table] = result.tables;
    expect(table?.differences.map(({ kind, examples }) => [kind, examples.length])).toEqual([
      ['missing on candidate', 5],
    ]);
    expect(table?.differences[0]?.count).toBeGreaterThanOrEqual(10_000);
    expect(table?.unexaminedChunks).toBeGreaterThan(0);
    expect([result.rowsLive, result.rowsCandidate]).toEqual([60_000, 0]);
    expect(describeComparison(result)).toContain('their rows were not counted');
  });
});

test('composite, uuid and text keys, in many chunks', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await fill(
      `CREATE TABLE c (b text, a int, d date, v int, PRIMARY KEY (a, b, d));
        INSERT INTO c SELECT 'k' || i % 7, i % 100, '2024-01-01'::date + i, i FROM generate_series(1, 20000) i;
      CREATE TABLE u (id uuid PRIMARY KEY, v int); INSERT INTO u SELECT md5(i::text)::uuid, i FROM generate_series(1, 20000) i;
      CREATE TABLE x ("K ""ey" text PRIMARY KEY, v int); INSERT INTO x SELECT chr(32 + i % 200) || '\\,{}' || i, i FROM generate_series(1, 20000) i; ANALYZE`,
      live,
      candidate,
    );
    expect((await compare({ chunkBytes: 65536 })).equal).toBe(true);
    await candidate.query(
      `UPDATE c SET v = 0 WHERE v = 12345; DELETE FROM u WHERE v = 1; UPDATE x SET v = -1 WHERE v IN (100, 19999)`,
    );
    const result = await compare({ chunkBytes: 65536 });
    const [first] = await rows<{ k: string }>(live, 'SELECT "K ""ey" AS k FROM x WHERE v IN (100, 19999) ORDER BY 1');
    expect(account(result).sort()).toEqual([
      'public.c different 1 45,k4,2057-10-19 v',
      'public.u missing on candidate 1 c4ca4238-a0b9-2382-0dcc-509a6f75849b',
      `public.x different 2 ${first?.k} v`,
    ]);
    // The same by ranges of the key, which a sample asks for.
    const ranges = await compare({ chunkBytes: 65536, sample: 0.999 });
    expect([ranges.tables.map(({ method }) => method), account(ranges).sort()]).toEqual([
      ['ranges', 'ranges', 'ranges'],
      account(result).sort(),
    ]);
  });
});

test("keys of extensions' types are cut by the operators that order them", async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await fill(
      `CREATE EXTENSION citext; CREATE EXTENSION ltree;
      CREATE TABLE c (k citext COLLATE "C" PRIMARY KEY, v int);
        INSERT INTO c SELECT CASE i % 2 WHEN 0 THEN 'a' ELSE 'B' END || i, i FROM generate_series(1, 20000) i;
      CREATE TABLE t (tenant int, at ltree, v int, PRIMARY KEY (tenant, at));
        INSERT INTO t SELECT i % 3, ('a.' || i)::ltree, i FROM generate_series(1, 20000) i; ANALYZE`,
      live,
      candidate,
    );
    const options = { chunkBytes: 65536, sample: 0.999 };
    const { equal, tables } = await compare(options);
    // A row of two chunks would count twice.
    expect([equal, tables.map(({ method, rowsLive }) => [method, rowsLive])]).toEqual([
      true,
      [
        ['ranges', 20000],
        ['ranges', 20000],
      ],
    ]);
    await candidate.query('UPDATE c SET v = 0 WHERE v = 777; DELETE FROM t WHERE v = 778');
    expect(account(await compare(options)).sort()).toEqual([
      'public.c different 1 B777 v',
      'public.t missing on candidate 1 1,a.778',
    ]);
  });
});

test('a text key that the two sides order differently is compared in buckets', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    const fillText = (collation: string) =>
      `CREATE TABLE x (k text ${collation} PRIMARY KEY, v int);
        INSERT INTO x SELECT CASE i % 2 WHEN 0 THEN 'a' ELSE 'B' END || i, i FROM generate_series(1, 20000) i; ANALYZE`;
    await fill(fillText('COLLATE "C"'), live);
    // Where the build has ICU, the order is truly another one: a before B, in upper and lower case.
    const icu = (await rows(live, "SELECT FROM pg_collation WHERE collname = 'und-x-icu'")).length > 0;
    await fill(fillText(icu ? 'COLLATE "und-x-icu"' : ''), candidate);
    const equal = await compare({ chunkBytes: 65536, sample: 0.999 });
    expect([equal.equal, equal.tables[0]?.method]).toEqual([true, 'buckets']);
    await candidate.query('UPDATE x SET v = 0 WHERE v = 777; DELETE FROM x WHERE v = 778');
    expect(account(await compare({ chunkBytes: 65536 })).sort()).toEqual([
      'public.x different 1 B777 v',
      'public.x missing on candidate 1 a778',
    ]);
  });
});

test('tables without a key are compared as multisets; a unique index identity serves as key', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await fill(
      `CREATE TABLE k (a int, b text); INSERT INTO k SELECT i % 50, 'b' FROM generate_series(1, 5000) i; ALTER TABLE k REPLICA IDENTITY FULL;
      CREATE TABLE i (a int NOT NULL, b text); CREATE UNIQUE INDEX i_a ON i (a);
      ALTER TABLE i REPLICA IDENTITY USING INDEX i_a; INSERT INTO i SELECT g, 'x' FROM generate_series(1, 100) g;
      CREATE TABLE e (id int PRIMARY KEY); CREATE TABLE n (a int)`,
      live,
      candidate,
    );
    const equal = await compare();
    expect([equal.equal, equal.tables.map(({ table, key, rowsLive }) => [table, key, rowsLive])]).toEqual([
      true,
      [
        ['public.e', ['id'], 0],
        ['public.i', ['a'], 100],
        ['public.k', [], 5000],
        ['public.n', [], 0],
      ],
    ]);
    await candidate.query(
      `INSERT INTO k VALUES (7, 'b'), (7, 'b'); DELETE FROM k WHERE ctid = (SELECT min(ctid) FROM k WHERE a = 9);
        UPDATE i SET b = NULL WHERE a = 3; INSERT INTO n VALUES (NULL)`,
    );
    const result = await compare();
    expect(
      result.tables
        .flatMap(({ table, differences, rowsLive, rowsCandidate }) =>
          differences.map(({ kind, count }) => [table, kind, count, rowsLive, rowsCandidate]),
        )
        .sort(),
    ).toEqual([
      ['public.i', 'different', 1, 100, 100],
      ['public.k', 'extra on candidate', 2, 5000, 5001],
      ['public.k', 'missing on candidate', 1, 5000, 5001],
      ['public.n', 'extra on candidate', 1, 0, 1],
    ]);
  });
});

test('partitioned tables at their root, differing types, other column order, no common column', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await live.query(`CREATE TABLE p (id int, at date, v numeric(10,2), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
      INSERT INTO p SELECT i, '2024-01-01'::date + i % 700, i / 100.0 FROM generate_series(1, 5000) i;
      CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(10), c float4, d numeric(10,2), e char(5), f date, g int);
      INSERT INTO t SELECT i, i, i, i / 10.0, i, 'x', '2024-01-01', i FROM generate_series(1, 100) i;
      CREATE TABLE z (a int); INSERT INTO z VALUES (1), (2)`);
    await candidate.query(`CREATE TABLE p (at date, v numeric, id bigint, PRIMARY KEY (id, at)) PARTITION BY HASH (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO p (id, at, v) SELECT i, '2024-01-01'::date + i % 700, (i / 100.0)::numeric(10,2) FROM generate_series(1, 5000) i;
      CREATE TABLE t (b text, id bigint PRIMARY KEY, a numeric, new int DEFAULT 5, c float8, d numeric(12,4), e text,
      f timestamp, g text); INSERT INTO t (id, a, b, c, d, e, f, g) SELECT i, i, i, i / 10.0, i, 'x', '2024-01-01', i FROM generate_series(1, 100) i;
      CREATE TABLE z (b int); INSERT INTO z VALUES (1), (2)`);
    expect(account(await compare({ chunkBytes: 65536 }))).toEqual([]);
    await candidate.query(
      "UPDATE p SET v = 0 WHERE id = 4000; UPDATE t SET a = 5.5, e = 'y' WHERE id = 50; DELETE FROM z WHERE b = 1",
    );
    expect(
      account(await compare({ chunkBytes: 65536 })).map((line) => line.replace(/candidate 1 -?\d+/, 'candidate 1')),
    ).toEqual([
      'public.p different 1 4000,2025-05-15 v',
      'public.t different 1 50 a e',
      'public.z missing on candidate 1',
    ]);
  });
});

test('a budget and a sample touch every table and say what they left', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await fill(`${many}; ${many.replaceAll(/ t\b(?!ext)/g, ' s')}`, live, candidate);
    const sampled = await compare({ chunkBytes: 65536, sample: 0.25 });
    expect(sampled.mode).toBe('sampled');
    for (const table of sampled.tables) expect(table.checkedChunks).toBe(Math.round(table.chunks / 4));
    expect(sampled.unchecked).toHaveLength(2);
    expect(describeComparison(sampled)).toContain('no proof for the rest');
    expect((await compare({ chunkBytes: 65536, sample: 0.25 })).rowsLive).toBe(sampled.rowsLive);

    let read = 0;
    const stopped = await compare({
      chunkBytes: 65536,
      budgetMs: 3_600_000,
      connections: 1,
      onProgress: () => void read++,
    });
    expect([stopped.mode, stopped.chunks]).toEqual(['complete', read]);
    const nothing = await compare({ budgetMs: 0 });
    expect([nothing.mode, nothing.checkedChunks, nothing.unchecked]).toEqual([
      'budget exhausted',
      0,
      ['public.s: nothing was read.', 'public.t: nothing was read.'],
    ]);
  });
});

test('abort ends promptly and leaves no session and no query', async () => {
  await withSides(server, async ({ live, candidate, compare }) => {
    await fill(many, live, candidate);
    // A comparison that waits: the table is locked on the candidate.
    await candidate.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    const controller = new AbortController();
    const work = compare({ signal: controller.signal });
    await withClient(connectionTo(server), 'test', async (client) => {
      const sessions = async () =>
        await rows<{ waiting: boolean }>(
          client,
          "SELECT wait_event_type = 'Lock' AS waiting FROM pg_stat_activity WHERE application_name = 'verdigris/verify'",
        );
      await until('a session that waits', async () => (await sessions()).some(({ waiting }) => waiting));
      const begun = Date.now();
      controller.abort(new Error('stop it'));
      await expect(work).rejects.toThrow('stop it');
      expect(Date.now() - begun).toBeLessThan(2000);
      await until('its sessions are gone', async () => (await sessions()).length === 0);
    });
    await candidate.query('ROLLBACK');
    await expect(compare({ signal: controller.signal })).rejects.toThrow('stop it');
    await expect(compare({ sample: 0 })).rejects.toThrow('sample 0');
  });
});

test('a failing barrier fails the comparison with its own error', async () => {
  await withSides(server, async ({ live, candidate, liveAt, candidateAt }) => {
    await fill(many, live, candidate);
    await candidate.query('DELETE FROM t WHERE id = 10');
    await between(
      liveAt,
      candidateAt,
      () => Promise.reject(new Error('slot lost')),
      async (sides) => {
        await expect(sides.compare()).rejects.toThrow('slot lost');
      },
    );
  });
});
