import { createWriteStream } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { readTables } from '../../src/postgres/catalogue.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { writerOf } from '../../src/postgres/readers.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { exportColumns } from '../../src/postgres/export-columns.ts';
import { exportDifferences } from '../../src/postgres/export-differences.ts';
import { databaseOf, importLost } from '../../src/postgres/import-lost.ts';
import type { Server } from '../../src/platform/local/server.ts';
import { connectionTo, temporaryFolder, withServer } from '../support/postgres.ts';

const many = (name: string): string => Array.from({ length: 150 }, (_, n) => `${name}${n} text`).join(', ');

const schema = `
  CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('a', 'b'); CREATE TYPE s.pr AS (x int, y text); CREATE DOMAIN s.positive AS numeric(12, 3);
  CREATE FUNCTION s.shown(s.pr) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'same' $$; CREATE CAST (s.pr AS text) WITH FUNCTION s.shown(s.pr);
  CREATE TABLE s.every (id int PRIMARY KEY, n numeric, f float8, f4 float4, ts timestamptz, i interval, b bytea, j json, jb jsonb, a int[], txt text,
    c char(5), m s.mood, r int4range, x xml, p s.pr, bits bit(3), pt point, big bigint, d s.positive, g int GENERATED ALWAYS AS (id * 2) STORED);
  CREATE EXTENSION ltree SCHEMA s; CREATE TABLE s.tree (at s.ltree PRIMARY KEY, v text); INSERT INTO s.tree VALUES ('a.b', 'x'), ('a.c', 'x'), ('a.d', 'x');
  CREATE TABLE s."t" (t text, "r" json, k int, c text);
  CREATE TABLE s.part (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
  CREATE TABLE s.part1 PARTITION OF s.part FOR VALUES IN (1); CREATE TABLE s.part2 PARTITION OF s.part FOR VALUES IN (2);
  CREATE TABLE s.child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, every int REFERENCES s.every);
  CREATE TABLE s.parent (id int PRIMARY KEY, v text, own money, part interval); CREATE TABLE s.heir (PRIMARY KEY (id), more text) INHERITS (s.parent);
  CREATE TABLE s.pointed (id int PRIMARY KEY REFERENCES s.parent); CREATE TABLE s.its_heir () INHERITS (s.pointed);
  INSERT INTO s.parent VALUES (1, 'p'), (2, 'p'); INSERT INTO s.heir VALUES (1, 'h'), (3, 'h'), (4, 'h'); INSERT INTO s.its_heir VALUES (77);
  CREATE TABLE s.wide (id int PRIMARY KEY, "__proto__" text, "constructor" text, "toString" text, ${many('c')});
  INSERT INTO s.wide (id, c149) VALUES (1, 'x'), (2, 'x');
  CREATE FUNCTION s.never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'once is enough'; END $$;
  INSERT INTO s.every (id, n, f) SELECT g, g, g FROM generate_series(1, 20) g;
  INSERT INTO s.t SELECT 'x', '{"a":1}', g % 3, 'c' FROM generate_series(1, 12) g;
  INSERT INTO s.part SELECT g, 1, 'x' FROM generate_series(1, 20) g; INSERT INTO s.child (every) VALUES (1), (2);`;

const changes = `
  INSERT INTO s.every (id, n, f, f4, ts, i, b, j, jb, a, txt, c, m, r, x, p, bits, pt, big, d) VALUES
    (100, 'NaN', '-0', '0.1', 'infinity', '1 mon -2 days 03:04:05.6', '\\x00ff5c', '{"b":1, "a":2,"a":3}', '{"z":1.00}', '[0:1]={1,NULL}', E'q"\\\\\\n\\t''🙂',
     'ab', 'b', 'empty', '<a/>', '(1,"x y")', B'101', '(1e-300,-0)', 9007199254740993, 1.000), (101, '1.000', '5e-324', NULL, '-infinity', NULL, NULL, NULL,
     NULL, '{}', '', NULL, NULL, NULL, NULL, '(,)', NULL, NULL, NULL, NULL);
  UPDATE s.every SET n = 2.50, p = '(2,z)' WHERE id = 5; DELETE FROM s.every WHERE id = 6; UPDATE s.every SET id = 500 WHERE id = 7;
  INSERT INTO s.t VALUES ('x', '{"a":1}', 1, 'c'), (NULL, NULL, NULL, NULL), ('x', '{"a": 1}', 1, 'c');
  DELETE FROM s.t WHERE ctid = (SELECT min(ctid) FROM s.t WHERE k = 2);
  UPDATE s.part SET k = 2 WHERE id = 8; DELETE FROM s.part WHERE id = 9; INSERT INTO s.part VALUES (99, 2, 'n');
  UPDATE s.heir SET v = 'changed' WHERE id = 3; DELETE FROM s.heir WHERE id = 4; INSERT INTO s.heir VALUES (5, 'h', '-1.50', '-1 day +02:00', 'x');
  UPDATE ONLY s.parent SET v = 'own' WHERE id = 1; INSERT INTO s.pointed VALUES (1); INSERT INTO s.its_heir VALUES (78);
  UPDATE s.tree SET v = 'y' WHERE v = 'x' AND at::text = 'a.c'; DELETE FROM s.tree WHERE at::text = 'a.d'; INSERT INTO s.tree VALUES ('a', 'new');
  UPDATE s.wide SET "__proto__" = 'p', c149 = E'a\u2028b\u2029c\u0085\r\nd' WHERE id = 2;
  INSERT INTO s.wide ("id", "constructor", c0) VALUES (3, 'c', E'\u2028');
  INSERT INTO s.child (every) VALUES (100); UPDATE s.child SET every = 500 WHERE id = 2;`;

/** What psql's COPY says of every table: PostgreSQL's own text. */
async function contents(client: Client): Promise<unknown> {
  return rows(
    client,
    ['every', 'tree', 't', 'part', 'child', 'ONLY parent', 'heir', 'pointed', 'its_heir', 'wide']
      .map((name) => `SELECT '${name}' AS name, format('%s', q) AS row FROM ${name.replace(/(\w+)$/, 's.$1')} q`)
      .join(' UNION ALL ') + ' ORDER BY 1, 2',
  );
}

interface Both {
  readonly server: Server;
  readonly kept: Client;
  readonly lost: Client;
  readonly file: string;
}

/** Two databases of one server, and where an export of what differs may go. */
async function withBoth(use: (both: Both) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await withServer(async (server) => {
      await withOwnSession(connectionTo(server), 'test', async (client) => {
        for (const name of ['kept', 'lost']) await client.query(`CREATE DATABASE ${name}`);
      });
      await withOwnSession(connectionTo(server, 'kept'), 'test', (kept) =>
        withOwnSession(connectionTo(server, 'lost'), 'test', (lost) =>
          use({ server, kept, lost, file: path.join(folder, 'lost.jsonl') }),
        ),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('an export holds every row to the last digit, and is brought back exactly; what was written since is not overwritten', () =>
  withBoth(async ({ server, kept, lost, file }) => {
    for (const client of [kept, lost]) await client.query(schema);
    await lost.query(changes);
    await kept.query('CREATE TRIGGER never BEFORE INSERT OR DELETE ON s.every FOR EACH ROW EXECUTE FUNCTION s.never()');
    const out = createWriteStream(file);
    const theirs = await readTables(kept);
    for (const table of await readTables(lost)) {
      const other = theirs.find(({ name }) => name === table.name);
      if (!other) throw new Error(`no ${table.name}`);
      const columns = table.columns.map(({ name }) => name);
      await exportDifferences(kept, lost, { kept: other, lost: table, columns }, out);
    }
    out.end();
    await finished(out);
    const before = await contents(kept);
    expect(await contents(lost)).not.toEqual(before);

    // Somebody writes to one of the rows meanwhile.
    await kept.query("UPDATE s.every SET txt = 'since' WHERE id = 5");
    await expect(importLost(kept, file)).rejects.toMatchObject({
      id: 'import-conflict',
      seen: expect.stringContaining('s.every'),
    });
    await kept.query('UPDATE s.every SET txt = NULL WHERE id = 5');
    expect(await contents(kept)).toEqual(before);

    // A row that another one of the export refers to is left out.
    const lines = (await readFile(file, 'utf8')).split('\n');
    const part = path.join(path.dirname(file), 'part.jsonl');
    await writeFile(part, lines.filter((line) => !line.includes('9007199254740993')).join('\n'));
    await expect(importLost(kept, part)).rejects.toMatchObject({
      id: 'import-conflict',
      seen: expect.stringContaining('foreign key'),
    });
    expect(await contents(kept)).toEqual(before);

    // As the command does: no superuser, and no trigger fires.
    const writer = await writerOf(kept, connectionTo(server, 'kept'));
    expect(writer.user).toBe('verdigris_locker');
    const done = await withOwnSession(writer, 'test', (locker) => importLost(locker, file));
    expect(done).toMatchObject({ tables: 10 });
    expect(await contents(kept)).toEqual(await contents(lost));
    await writeFile(part, '{"table":"s.every","kind":"inserted","key":["1"],"row":{"id":1}}\n');
    await expect(importLost(kept, part)).rejects.toMatchObject({ id: 'import-unreadable' });
  }));

test('values of columns that only the colour given up has are lost rows too; what every row got with the column is none', () =>
  withBoth(async ({ kept, lost, file }) => {
    for (const client of [kept, lost])
      await client.query(
        "CREATE TABLE public.a (id int PRIMARY KEY, v text); INSERT INTO public.a SELECT g, 'x' FROM generate_series(1, 9) g",
      );
    await lost.query(`ALTER TABLE public.a ADD state varchar(5) DEFAULT 'new', ADD n numeric(6, 2) NOT NULL DEFAULT 0, ADD note text,
              ADD a int[] DEFAULT '{1}', ADD twice int GENERATED ALWAYS AS (id * 2) STORED, ADD at timestamptz;
            UPDATE public.a SET state = 'paid' WHERE id = 1; UPDATE public.a SET n = 0.01 WHERE id = 2; UPDATE public.a SET note = 'n' WHERE id = 3;
            UPDATE public.a SET state = NULL WHERE id = 4;
            UPDATE public.a SET v = 'y' WHERE id = 5; UPDATE public.a SET a = '{}' WHERE id = 6; UPDATE public.a SET at = 'epoch' WHERE id = 7`);
    const [theirs] = await readTables(kept);
    const [table] = await readTables(lost);
    if (!theirs || !table) throw new Error('no table');
    const out = createWriteStream(file);
    const pair = { kept: theirs, lost: table, columns: ['id', 'v'] };
    expect(await exportDifferences(kept, lost, pair, out)).toMatchObject({ inserted: 0, updated: 7, deleted: 0 });
    out.end();
    await finished(out);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const ids = lines.map((line) => (JSON.parse(line) as { row: { id: string } }).row.id);
    expect(ids.toSorted()).toEqual(['1', '2', '3', '4', '5', '6', '7']);

    // The next try of the release has the columns again, and the rows their values.
    await kept.query(
      "ALTER TABLE public.a ADD state varchar(5) DEFAULT 'new', ADD n numeric(6, 2), ADD note text; UPDATE public.a SET note = 'since' WHERE id = 4",
    );
    await expect(importLost(kept, file)).rejects.toMatchObject({ id: 'import-conflict' });
    await kept.query('UPDATE public.a SET note = NULL WHERE id = 4');
    expect(await importLost(kept, file)).toEqual({ rows: 7, tables: 1 });
    expect(
      await rows(
        kept,
        "SELECT string_agg(format('%s', (id, v, state, n, note)), ' ' ORDER BY id) AS rows FROM public.a WHERE id < 6",
      ),
    ).toEqual([{ rows: '(1,x,paid,0.00,) (2,x,new,0.01,) (3,x,new,0.00,n) (4,x,,0.00,) (5,y,new,0.00,)' }]);
  }));

test("values of columns are put where nobody wrote since, by key or by all columns, in each of equal rows; and no other database's", () =>
  withBoth(async ({ kept, lost, file }) => {
    const tables = `CREATE TABLE public.k (id int, v text, PRIMARY KEY (id)); INSERT INTO public.k SELECT g, 'x' FROM generate_series(1, 3) g;
      CREATE TABLE public.n (v text); INSERT INTO public.n SELECT 'x' FROM generate_series(1, 3) g`;
    const release = `ALTER TABLE public.k ADD "more "" of" numeric DEFAULT 1, ADD at timestamptz DEFAULT clock_timestamp(),
      ADD number int GENERATED ALWAYS AS IDENTITY; ALTER TABLE public.n ADD w text DEFAULT 'd'`;
    for (const client of [kept, lost]) await client.query(tables);
    const before = await readTables(kept);
    for (const client of [kept, lost]) await client.query(`${release}; UPDATE public.k SET at = NULL`);
    const { since } = await one<{ since: string }>(
      lost,
      'SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::bigint % 4294967296)::text AS since',
    );
    await lost.query(`UPDATE public.k SET "more "" of" = 1.00, at = 'epoch' WHERE id = 2;
      UPDATE public.n SET w = 'e' WHERE ctid IN (SELECT ctid FROM public.n LIMIT 2)`);
    const out = createWriteStream(file);
    const counts: number[] = [];
    for (const table of await readTables(lost)) {
      const other = before.find(({ name }) => name === table.name);
      if (!other) throw new Error(`no ${table.name}`);
      const columns = other.columns.map(({ name }) => name);
      counts.push((await exportColumns(lost, { kept: other, lost: table, columns, since }, out, 'billing')).updated);
    }
    out.end();
    await finished(out);
    expect(counts).toEqual([1, 2]);
    await expect(importLost(kept, file)).rejects.toMatchObject({
      id: 'import-conflict',
      seen: expect.stringContaining('it is of billing'),
    });
    expect(await importLost(kept, file, await databaseOf(file))).toEqual({ rows: 3, tables: 2 });
    const seen = (client: Client) =>
      rows(
        client,
        "SELECT format('%s', q) AS row FROM (TABLE public.k) q UNION ALL SELECT format('%s', q) FROM (TABLE public.n) q ORDER BY 1",
      );
    expect(await seen(kept)).toEqual(await seen(lost));

    await kept.query("DELETE FROM public.n WHERE ctid IN (SELECT ctid FROM public.n WHERE w = 'e' LIMIT 1)");
    await kept.query('UPDATE public.k SET "more "" of" = 2');
    await expect(importLost(kept, file, 'billing')).rejects.toMatchObject({ facts: { lines: [1] } });
  }));

test('sequences go past the numbers of rows that are brought back; not to one that somebody wrote by hand', () =>
  withBoth(async ({ server, kept, lost, file }) => {
    const tables = `CREATE TABLE public.up (id serial PRIMARY KEY, v text); CREATE TABLE public.down (id bigint PRIMARY KEY);
      CREATE SEQUENCE public."Falling" INCREMENT -1; ALTER TABLE public.down ALTER id SET DEFAULT nextval('public."Falling"');
      CREATE TABLE public.ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE public.last (id serial PRIMARY KEY)`;
    for (const client of [kept, lost]) await client.query(tables);
    await lost.query(`INSERT INTO public.up (v) SELECT 'x' FROM generate_series(1, 5); INSERT INTO public.down SELECT nextval('public."Falling"')
      FROM generate_series(1, 4); INSERT INTO public.ident SELECT FROM generate_series(1, 3); INSERT INTO public.last VALUES (2147483647)`);
    const out = createWriteStream(file);
    for (const table of await readTables(lost))
      await exportDifferences(
        kept,
        lost,
        { kept: undefined, lost: table, columns: table.columns.map(({ name }) => name) },
        out,
      );
    out.end();
    await finished(out);
    const writer = await writerOf(kept, connectionTo(server, 'kept'));
    await withOwnSession(writer, 'test', (locker) => importLost(locker, file));
    const next = [
      "INSERT INTO public.up (v) VALUES ('y')",
      'INSERT INTO public.down DEFAULT VALUES',
      'INSERT INTO public.ident DEFAULT VALUES',
    ];
    const ids = [];
    for (const each of next) ids.push(...(await rows<{ id: number | string }>(kept, `${each} RETURNING id`)));
    expect(ids.map(({ id }) => Number(id))).toEqual([6, -5, 4]);
    expect(await rows(kept, 'SELECT last_value::int AS at FROM public.last_id_seq')).toEqual([{ at: 1 }]);
  }));
