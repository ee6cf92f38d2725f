import { expect, test } from 'vitest';
import { withDatabase } from '../../support/postgres.ts';
import { findingOf, findingsOf, fixes, sound } from './support.ts';
import { sqlState } from '../../support/failure.ts';

test('tables without a replica identity: UPDATE fails once published, and the fix lets it pass', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE SCHEMA "A b";
      CREATE TABLE bare (x int, y text); CREATE TABLE "A b"."T""t" (x int);
      CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
      CREATE TABLE uniq (a int NOT NULL, b int NOT NULL, c int, UNIQUE (c)); CREATE UNIQUE INDEX wide ON uniq (a, b);
      CREATE UNIQUE INDEX narrow ON uniq (b) INCLUDE (c);
      CREATE UNIQUE INDEX a_partial ON uniq (a) WHERE a > 0; CREATE UNIQUE INDEX a_expression ON uniq ((a + 1));
      CREATE TABLE lost (a int NOT NULL); CREATE UNIQUE INDEX lost_i ON lost (a); ALTER TABLE lost REPLICA IDENTITY USING INDEX lost_i; DROP INDEX lost_i;
      CREATE TABLE j (x json);
      CREATE TABLE part (id int, at int) PARTITION BY RANGE (at); CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (9);
      CREATE SCHEMA verdigris; CREATE TABLE verdigris.own (x int); CREATE TEMP TABLE passing (x int);
      INSERT INTO bare VALUES (1, 'a'); INSERT INTO uniq VALUES (1, 1, 1);
      CREATE PUBLICATION p FOR ALL TABLES`);
    expect(await sqlState(client, 'UPDATE bare SET x = 2')).toBe('55000');
    const finding = await fixes(client, 'replica-identity-missing', {
      grade: 'refuse',
      objects: ['A b.T"t', 'public.bare', 'public.j', 'public.lost', 'public.nothing', 'public.part_1', 'public.uniq'],
    });
    expect(finding.fix).toContain('ALTER TABLE "A b"."T""t" REPLICA IDENTITY FULL;');
    expect(finding.fix).toContain('ALTER TABLE "public"."uniq" REPLICA IDENTITY USING INDEX "narrow";');
    expect(finding.fix).toContain('ALTER TABLE "public"."nothing" REPLICA IDENTITY DEFAULT;');
    expect(finding.fix).toContain('ALTER TABLE "public"."j" ADD COLUMN "verdigris_key"');
    expect(await sqlState(client, 'UPDATE bare SET x = 2')).toBe('succeeded');
    expect(await sqlState(client, 'UPDATE uniq SET c = 2')).toBe('succeeded');
    await fixes(client, 'replica-identity-full', {
      grade: 'warn',
      objects: ['A b.T"t', 'public.bare', 'public.lost', 'public.part_1'],
    });
  }, sound);
});

test('a deferrable primary key identifies nothing', async () => {
  await withDatabase(async (client) => {
    await client.query(
      'CREATE TABLE d (id int PRIMARY KEY DEFERRABLE, x int); INSERT INTO d VALUES (1, 1); CREATE PUBLICATION p FOR ALL TABLES',
    );
    expect(await sqlState(client, 'UPDATE d SET x = 2')).toBe('55000');
    const finding = await fixes(client, 'replica-identity-deferrable', { grade: 'refuse', objects: ['public.d'] });
    expect(finding.fix).toBe('ALTER TABLE "public"."d" REPLICA IDENTITY FULL;');
    expect(await sqlState(client, 'UPDATE d SET x = 2')).toBe('succeeded');
  }, sound);
});

test('FULL with columns that cannot be compared is refused, unless a key stands in', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE DOMAIN dj AS json; CREATE TYPE holder AS (a int, b point); CREATE TYPE mood AS ENUM ('a');
      CREATE TABLE odd (a json, b point, c xml, d dj, e json[], f holder, g varchar(3), h mood, i int4range, j text[],
      k jsonb, l box, m uuid, n inet, o "char", p bit(3), q name, r oid);
      CREATE TABLE key (id int PRIMARY KEY, a json); ALTER TABLE odd REPLICA IDENTITY FULL; ALTER TABLE key REPLICA IDENTITY FULL`);
    await fixes(client, 'replica-identity-full-incomparable', {
      grade: 'refuse',
      objects: ['a', 'b', 'c', 'd', 'e', 'f', 'l'].map((column) => `public.odd.${column}`),
    });
    expect((await findingsOf(client)).filter(({ id }) => id.startsWith('replica-identity'))).toEqual([]);
  }, sound);
});

test('FULL is told as slow, and its fix names the index that would do', async () => {
  await withDatabase(async (client) => {
    await client.query(
      'CREATE TABLE t (a int NOT NULL UNIQUE); CREATE TABLE u (a int); ALTER TABLE t REPLICA IDENTITY FULL; ALTER TABLE u REPLICA IDENTITY FULL',
    );
    const finding = await fixes(client, 'replica-identity-full', { grade: 'warn', objects: ['public.t', 'public.u'] });
    expect(finding.fix).toContain('ALTER TABLE "public"."t" REPLICA IDENTITY USING INDEX "t_a_key";');
    expect(await findingOf(client, 'replica-identity-full')).toBeUndefined();
  }, sound);
});
