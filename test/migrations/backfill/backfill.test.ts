import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseAssignments } from '../../../src/migrations/backfill/assignments.ts';
import { readBackfills, type Backfill } from '../../../src/migrations/backfill/files.ts';
import { installKeeper, removeKeepers } from '../../../src/migrations/backfill/keeper.ts';
import { rowsInNeed } from '../../../src/migrations/backfill/need.ts';
import { planBackfill } from '../../../src/migrations/backfill/plan.ts';
import { isDone, readProgress } from '../../../src/migrations/backfill/progress.ts';
import { rehearseBackfills } from '../../../src/migrations/backfill/rehearse.ts';
import {
  runBackfill,
  type BackfillProgress,
  type BackfillReport,
  type BackfillRun,
} from '../../../src/migrations/backfill/run.ts';
import { one, rows, withTransaction, type Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { connectionTo, temporaryFolder, withDatabase } from '../../support/postgres.ts';
import type { Server } from '../../../src/platform/local/server.ts';

let client: Client;
let server: Server;
let folder: string;
let close: () => Promise<void>;

beforeAll(async () => {
  const opened = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  const closed = withDatabase(async (made, at) => {
    client = made;
    server = at;
    opened.resolve();
    await closing.promise;
  });
  closed.catch(opened.reject);
  await opened.promise;
  close = async () => {
    closing.resolve();
    await closed;
  };
});
afterAll(() => close());
afterEach(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  folder = await temporaryFolder();
  await client.query('DROP SCHEMA IF EXISTS verdigris CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  await ensureControlSchema(client);
});

async function declare(text: string, name = '0002_fill'): Promise<Backfill> {
  await writeFile(path.join(folder, `${name}.backfill.yaml`), text);
  const found = (await readBackfills(folder)).find((each) => each.name === name);
  if (!found) throw new Error('just written');
  return found;
}

const asIs = { path: 'public', owner: undefined };
const calm = { lag: () => Promise.resolve(undefined), active: () => Promise.resolve(0) };

function run(backfill: Backfill, parts: Partial<BackfillRun> = {}): Promise<BackfillReport> {
  return runBackfill(client, backfill, {
    release: '2',
    onCandidate: true,
    again: false,
    pressure: calm,
    lagLimit: 1e9,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...parts,
  });
}

const people = `CREATE TABLE person (id int PRIMARY KEY, first text, last text, full_name text, times int NOT NULL DEFAULT 0);
    INSERT INTO person SELECT i, 'f' || i, 'l' || i FROM generate_series(1, 1234) i; ANALYZE person`;
const fill = "table: person\nset: full_name = first || ' ' || last, times = times + 1\nwhere: full_name IS NULL\n";

describe('the file', () => {
  test('is read, with what has a default; `backfills/` counts too, in the order of versions', async () => {
    await mkdir(path.join(folder, 'backfills'));
    await writeFile(
      path.join(folder, 'backfills', '0001_other.backfill.yaml'),
      `table: sales.orders\nset: total = (SELECT sum(price) FROM items), "odd = name" = coalesce(a, b)  -- , not = this\n` +
        'where: total IS NULL\nkey: [a, b]\nbatch: { rows: 10, time: 1s }\nlimits: { lag: 1MiB, active: 3, time: 1m }\n',
    );
    await declare(fill, '0010_names');
    const [other, names] = await readBackfills(folder);
    expect(other).toMatchObject({
      version: '0001',
      name: '0001_other',
      key: ['a', 'b'],
      batch: { rows: 10, time: 1_000 },
      limits: { lag: 1024 ** 2, active: 3, time: 60_000 },
    });
    expect(other?.assignments).toEqual([
      { column: 'total', expression: '(SELECT sum(price) FROM items)' },
      { column: 'odd = name', expression: 'coalesce(a, b)' },
    ]);
    expect(names).toMatchObject({ version: '0010', name: '0010_names', trigger: true, batch: { rows: 5_000 } });
  });

  test.each([
    ['a column by itself', '(a, b) = (1, 2)', 'true', 'assigned by itself'],
    ['no default', 'a = DEFAULT', 'true', 'assigned by itself'],
    ['no part of a column', 'a[1] = 2', 'true', 'assigned by itself'],
    ['no second table', 'a = 1 FROM other', 'true', 'more than assignments'],
    ['no second statement', 'a = 1; DROP TABLE person', 'true', 'more than assignments'],
    ['no condition that ends early', 'a = 1', 'true) RETURNING (a', 'more than assignments'],
    ['no condition in set', 'a = 1 WHERE false', 'true', 'more than assignments'],
    ['SQL', 'a =', 'true', 'syntax error'],
  ])('%s is asked for', async (_, set, where, said) => {
    await expect(parseAssignments(set, where)).rejects.toThrow(said);
  });

  test('what is wrong with it is said with its name', async () => {
    await expect(declare('table: person\nset: a = 1\nwhere: true\nonce: true\n')).rejects.toMatchObject({
      code: 'declaration',
      id: 'backfill-invalid',
      seen: expect.stringMatching(/0002_fill\.backfill\.yaml[^]*once: is not a key/),
    });
    await expect(declare('table: "a.b.c"\nset: ""\n')).rejects.toMatchObject({
      seen: expect.stringMatching(/3 faults[^]*table[^]*set[^]*where/),
    });
    await expect(declare('table: [')).rejects.toMatchObject({
      id: 'backfill-invalid',
      seen: expect.stringContaining('is not YAML'),
    });
    await expect(declare('table: person\nset: a = \nwhere: true\n')).rejects.toMatchObject({ id: 'backfill-invalid' });
  });
});

describe('a run', () => {
  test('fills each row that needs it once, in batches by key, and a second one has nothing to do', async () => {
    await client.query(people);
    await client.query("UPDATE person SET full_name = 'kept' WHERE id % 10 = 0");
    const backfill = await declare(`${fill}batch: { rows: 100 }\n`);
    const said: BackfillProgress[] = [];
    expect(await run(backfill, { onProgress: (progress) => said.push(progress) })).toMatchObject({
      name: '0002_fill',
      columns: ['full_name', 'times'],
      seen: 1234,
      filled: 1111,
    });
    expect(
      await one(
        client,
        `SELECT count(*) FILTER (WHERE full_name = first || ' ' || last AND times = 1)::int AS filled,
          count(*) FILTER (WHERE full_name = 'kept' AND times = 0)::int AS kept FROM person`,
      ),
    ).toEqual({ filled: 1111, kept: 123 });
    expect(said.length).toBeGreaterThanOrEqual(12);
    expect(said.at(-1)).toMatchObject({ seen: 1234, total: 1234, secondsLeft: undefined });
    expect(said.at(0)?.secondsLeft).toBeGreaterThan(0);
    expect(isDone(backfill, await readProgress(client))).toBe(true);
    expect(await run(backfill)).toMatchObject({ seen: 0, filled: 0 });
  });

  test('goes by a key of several columns of any order of types, on partitions too', async () => {
    await client.query(
      `CREATE TABLE event (tenant text, at timestamptz, n numeric, doubled numeric, PRIMARY KEY (tenant, at))
        PARTITION BY LIST (tenant); CREATE TABLE event_a PARTITION OF event FOR VALUES IN ('a''1');
        CREATE TABLE event_b PARTITION OF event FOR VALUES IN ('b', 'Ä')`,
    );
    await client.query(
      `INSERT INTO event SELECT (ARRAY['a''1', 'b', 'Ä'])[1 + i % 3],
        '2026-01-01'::timestamptz + i * interval '1 microsecond', i FROM generate_series(1, 500) i`,
    );
    const backfill = await declare(
      'table: event\nset: doubled = n * 2\nwhere: doubled IS DISTINCT FROM n * 2\nbatch: { rows: 7 }\n',
    );
    expect(await run(backfill)).toMatchObject({ seen: 500, filled: 500 });
    expect(await one(client, 'SELECT count(*)::int AS n FROM event WHERE doubled = n * 2')).toEqual({ n: 500 });
    // What apply does: under the replica role, into a partition.
    await client.query(
      `SET session_replication_role = replica; INSERT INTO event_b VALUES ('b', '2026-02-01', 21);
        UPDATE event SET n = 5 WHERE tenant = 'Ä' AND n = 2; RESET session_replication_role`,
    );
    expect(
      await rows(client, 'SELECT doubled::int FROM event WHERE n IN (5, 21) AND doubled = n * 2 ORDER BY 1'),
    ).toEqual([{ doubled: 10 }, { doubled: 10 }, { doubled: 42 }, { doubled: 42 }]);
    expect(await rowsInNeed(client, await planBackfill(client, backfill), 10, 10_000)).toBe(0);
    expect(await run(backfill, { again: true })).toMatchObject({ seen: 501, filled: 0 });
    expect(
      await rows(
        client,
        "SELECT DISTINCT tgenabled::text AS enabled FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT LIKE 'require_grant%'",
      ),
    ).toEqual([{ enabled: 'R' }]);
  });

  test("goes by the operators that order a key of extensions' types, not by PostgreSQL's of the same names", async () => {
    await client.query(
      `CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE DOMAIN nick AS public.citext COLLATE "C";
        CREATE TABLE member (tenant int, at ltree, name nick, filled bool, PRIMARY KEY (tenant, at, name));
        INSERT INTO member SELECT i % 2, ('a.' || i % 3)::ltree, chr(CASE WHEN i % 4 < 2 THEN 65 ELSE 97 END + i % 26) || i
          FROM generate_series(1, 300) i`,
    );
    // Of the domain itself: never taken.
    await client.query(
      `CREATE FUNCTION no(nick, nick) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE 'not this one'; END$$;
        CREATE OPERATOR > (LEFTARG = nick, RIGHTARG = nick, FUNCTION = no);
        CREATE OPERATOR <= (LEFTARG = nick, RIGHTARG = nick, FUNCTION = no)`,
    );
    await client.query(
      'CREATE TABLE single AS SELECT name, filled FROM member; ALTER TABLE single ADD PRIMARY KEY (name)',
    );
    for (const table of ['member', 'single']) {
      const backfill = await declare(
        `table: ${table}\nset: filled = true\nwhere: filled IS NULL\nbatch: { rows: 7 }\n`,
        `0002_${table}`,
      );
      expect(await run(backfill)).toMatchObject({ seen: 300, filled: 300 });
      expect(await one(client, `SELECT count(*)::int AS n FROM ${table} WHERE filled`)).toEqual({ n: 300 });
    }
  });

  test('stops at its time limit and goes on there; a changed text begins again, a changed limit does not', async () => {
    await client.query(people);
    const backfill = await declare(`${fill}batch: { rows: 50, time: 1ms }\n`);
    let batches = 0;
    await expect(
      run(backfill, {
        until: performance.now() + 1_000,
        pressure: { ...calm, active: () => Promise.resolve(batches++ < 3 ? 0 : 99) },
      }),
    ).rejects.toMatchObject({ id: 'backfill-time-limit' });
    const [half] = await readProgress(client);
    expect(half).toMatchObject({ doneAt: null });
    expect(half?.seen).toBeGreaterThan(0);
    expect(half?.seen).toBeLessThan(1234);
    const wider = await declare(`${fill}batch: { rows: 500 }\n`);
    expect(await run(wider)).toMatchObject({ seen: 1234 - (half?.seen ?? 0) });
    expect(await one(client, 'SELECT min(times) AS least, max(times) AS most FROM person')).toEqual({
      least: 1,
      most: 1,
    });
    const other = await declare('table: person\nset: full_name = last\nwhere: full_name IS DISTINCT FROM last\n');
    expect(isDone(other, await readProgress(client))).toBe(false);
    expect(await run(other)).toMatchObject({ seen: 1234, filled: 1234 });
  });

  test('waits while replication lags or clients are at work, says why, and obeys a signal meanwhile', async () => {
    await client.query(people);
    const backfill = await declare(`${fill}limits: { active: 2 }\n`);
    const lags = [9_000_000, 2_000_000, 0];
    const waits: (string | undefined)[] = [];
    const report = await run(backfill, {
      lagLimit: 1024 ** 2,
      pressure: { lag: () => Promise.resolve(lags.shift() ?? 0), active: () => Promise.resolve(0) },
      onProgress: ({ waiting }) => waits.push(waiting),
    });
    expect(report.yielded).toBeGreaterThan(0.1);
    expect(waits.slice(0, 2)).toEqual([
      expect.stringMatching(/8789 KiB behind, and is to stay below 1024 KiB/),
      expect.stringContaining('KiB behind'),
    ]);
    const stop = new AbortController();
    const blocked = run(backfill, {
      again: true,
      signal: stop.signal,
      pressure: { ...calm, active: () => Promise.resolve(3) },
      onProgress: ({ waiting }) => waiting?.includes('3 clients are at work') && stop.abort(new Error('stopped')),
    });
    await expect(blocked).rejects.toThrow();
  });

  test("gives way to whoever holds a row and comes back; a deadlock is never the other's", async () => {
    await client.query(people);
    const backfill = await declare(`${fill}batch: { rows: 2000 }\n`);
    await withClient(connectionTo(server, 'test'), 'test', async (other) => {
      await other.query('BEGIN; UPDATE person SET first = first WHERE id = 900');
      const going = run(backfill);
      // The batch has its first rows and waits for 900; now the other waits for the batch: a deadlock, which the batch
      // sees first.
      for (;;) if ((await rows(other, "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length > 0) break;
      await other.query('UPDATE person SET first = first WHERE id = 501');
      await other.query('COMMIT');
      expect(await going).toMatchObject({ seen: 1234, filled: 1234 });
    });
    expect(await one(client, 'SELECT min(times) AS least, max(times) AS most FROM person')).toEqual({
      least: 1,
      most: 1,
    });
  });

  test('two at once: the one that was overtaken stops, and no row is filled twice', async () => {
    await client.query(people);
    const backfill = await declare(`${fill}batch: { rows: 10 }\n`);
    const results = await withClient(connectionTo(server, 'test'), 'test', (second) =>
      Promise.allSettled([
        run(backfill),
        runBackfill(second, backfill, {
          release: '2',
          onCandidate: true,
          again: false,
          pressure: calm,
          lagLimit: 1e9,
          signal: new AbortController().signal,
          onProgress: () => undefined,
        }),
      ]),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { id: 'backfill-elsewhere', code: 'busy' },
    });
    await run(backfill);
    expect(await one(client, 'SELECT min(times) AS least, max(times) AS most FROM person')).toEqual({
      least: 1,
      most: 1,
    });
  });

  test('two that begin at the same moment do not fail each other', async () => {
    await client.query(people);
    await withClient(connectionTo(server, 'test'), 'test', async (second) => {
      for (let round = 10; round < 30; round++) {
        const plan = await planBackfill(client, await declare(fill, `00${round}_fill`));
        await Promise.all([installKeeper(client, plan, asIs, 2_000), installKeeper(second, plan, asIs, 2_000)]);
      }
    });
  });

  test('an expression that fails for a row names the backfill, keeps what is done, and goes on once it is fixed', async () => {
    await client.query(
      `CREATE TABLE t (id int PRIMARY KEY, a text, n int); INSERT INTO t SELECT i, i::text
        FROM generate_series(1, 1000) i; UPDATE t SET a = 'x' WHERE id = 700`,
    );
    const backfill = await declare('table: t\nset: n = a::int\nwhere: n IS NULL\nbatch: { rows: 100 }\n');
    await expect(run(backfill)).rejects.toMatchObject({
      id: 'backfill-failed',
      seen: expect.stringMatching(/0002_fill.*"x"/),
      next: expect.stringContaining('continues'),
    });
    expect(await one(client, 'SELECT count(n)::int AS n FROM t')).toEqual({ n: 600 });
    await client.query("UPDATE t SET a = '7' WHERE id = 700");
    expect(await run(backfill)).toMatchObject({ seen: 400, filled: 400 });
  });

  test.each([
    ['no key', 'CREATE TABLE t (a int, b int)', 'table: t\nset: b = a\nwhere: b IS NULL\n', 'backfill-key'],
    [
      'a key that may be null',
      'CREATE TABLE t (a int UNIQUE, b int)',
      'table: t\nset: b = a\nwhere: b IS NULL\nkey: [a]\n',
      'backfill-key',
    ],
    [
      'a key that is partly unique',
      'CREATE TABLE t (a int NOT NULL, b int); CREATE UNIQUE INDEX ON t (a) WHERE a > 0',
      'table: t\nset: b = a\nwhere: b IS NULL\nkey: [a]\n',
      'backfill-key',
    ],
    [
      'its key filled',
      'CREATE TABLE t (a int PRIMARY KEY, b int)',
      'table: t\nset: a = b\nwhere: a <> b\n',
      'backfill-key',
    ],
    [
      'no such column',
      'CREATE TABLE t (a int PRIMARY KEY, b int)',
      'table: t\nset: c = b\nwhere: c IS NULL\n',
      'backfill-target',
    ],
    ['no such table', 'SELECT 1', 'table: t\nset: c = b\nwhere: c IS NULL\n', 'backfill-target'],
  ])('is refused with %s', async (_, sql, text, id) => {
    await client.query(sql);
    await expect(run(await declare(text))).rejects.toMatchObject({ code: 'refused', id });
  });
});

describe('rows that arrive', () => {
  test('by replication are filled on their way in, those of clients are left alone, and one that cannot be computed does not stop apply', async () => {
    await client.query(
      "CREATE TABLE t (id int PRIMARY KEY, a text, n int, filled text); INSERT INTO t VALUES (1, '1')",
    );
    const backfill = await declare('table: t\nset: n = a::int\nwhere: n IS DISTINCT FROM a::int\n');
    await run(backfill);
    await client.query("INSERT INTO t VALUES (2, '2')");
    await withTransaction(client, () =>
      client.query(
        "SET LOCAL session_replication_role = replica; INSERT INTO t VALUES (3, '3'), (4, 'x'); UPDATE t SET a = '10' WHERE id = 1",
      ),
    );
    expect(await rows(client, 'SELECT id, n FROM t ORDER BY id')).toEqual([
      { id: 1, n: 10 },
      { id: 2, n: null },
      { id: 3, n: 3 },
      { id: 4, n: null },
    ]);
    await client.query("UPDATE t SET a = '4' WHERE id = 4");
    expect(await rowsInNeed(client, await planBackfill(client, backfill), 10, 10_000)).toBe(2);
    expect(await run(backfill, { again: true })).toMatchObject({ seen: 4, filled: 2 });
    expect(await rowsInNeed(client, await planBackfill(client, backfill), 10, 10_000)).toBe(0);
    await installKeeper(client, await planBackfill(client, backfill), asIs, 1_000);
    await removeKeepers(client);
    expect(
      await rows(
        client,
        `SELECT name FROM (SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
          UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'verdigris'::regnamespace) AS made (name)
        WHERE name NOT LIKE 'require_grant%'`,
      ),
    ).toEqual([]);
  });

  test('its own triggers: those of the table stay quiet on a candidate and fire on a live colour', async () => {
    await client.query(
      `CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE TABLE audit (id int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END';
        CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note(); INSERT INTO t VALUES (1, 1), (2, 2)`,
    );
    const backfill = await declare('table: t\nset: b = a\nwhere: b IS DISTINCT FROM a\n');
    await run(backfill);
    expect(await rows(client, 'SELECT id FROM audit')).toEqual([]);
    await client.query('TRUNCATE verdigris.backfill; UPDATE t SET b = NULL; TRUNCATE audit');
    await run(backfill, { onCandidate: false });
    expect(await rows(client, 'SELECT id FROM audit ORDER BY 1')).toEqual([{ id: 1 }, { id: 2 }]);
  });
});

test("a rehearsal runs it whole, in the caller's transaction, and says what is wrong with it", async () => {
  await client.query(people);
  const good = await declare(fill);
  const bad = await declare('table: person\nset: full_name = nonsense(first)\nwhere: full_name IS NULL\n', '0003_bad');
  await withTransaction(client, async () => {
    await rehearseBackfills(client, [good]);
    expect(await one(client, 'SELECT count(full_name)::int AS n FROM person')).toEqual({ n: 1234 });
    await expect(rehearseBackfills(client, [bad])).rejects.toMatchObject({
      id: 'backfill-failed',
      seen: expect.stringMatching(/0003_bad.*nonsense/),
    });
    await client.query('ROLLBACK');
  });
});
