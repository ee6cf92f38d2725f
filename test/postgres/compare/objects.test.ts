import { expect, test } from 'vitest';
import { brokenForeignKeys, compareObjects } from '../../../src/postgres/compare/index.ts';
import { one } from '../../../src/postgres/client.ts';
import { withDatabase } from '../../support/postgres.ts';

test('finds invalid indexes, constraints not validated, and foreign keys that rows break', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE SCHEMA "S"; CREATE TABLE "S"."P" (a int, b text, PRIMARY KEY (a, b)); INSERT INTO "S"."P" VALUES (1, 'x');
      CREATE TABLE c (a int, b text, CONSTRAINT simple FOREIGN KEY (a, b) REFERENCES "S"."P"); INSERT INTO c VALUES (1, 'x'), (1, NULL), (NULL, 'y');
      CREATE TABLE f (a int, b text, CONSTRAINT whole FOREIGN KEY (a, b) REFERENCES "S"."P" MATCH FULL); INSERT INTO f VALUES (NULL, NULL), (1, 'x');
      CREATE TABLE parted (id int PRIMARY KEY, up bigint CONSTRAINT self REFERENCES parted) PARTITION BY RANGE (id);
      CREATE TABLE parted1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
      INSERT INTO parted VALUES (1, NULL), (2, 1); CREATE TABLE dup (x int); INSERT INTO dup VALUES (1), (1)`);
    expect(await compareObjects(client)).toEqual([]);

    await client.query(
      `SET session_replication_role = replica; DELETE FROM "S"."P"; INSERT INTO f VALUES (1, NULL);
        DELETE FROM parted WHERE id = 1; RESET session_replication_role`,
    );
    await expect(client.query('CREATE UNIQUE INDEX CONCURRENTLY "Dup" ON dup (x)')).rejects.toThrow('could not create');
    await client.query('ALTER TABLE dup ADD CONSTRAINT positive CHECK (x > 1) NOT VALID');
    const found = await compareObjects(client);
    expect(found.map(({ id, grade, title, objects }) => [id, grade, title, objects])).toEqual([
      ['index-invalid', 'refuse', '1 index is not valid on the candidate', ['public.Dup (dup)']],
      ['constraint-not-validated', 'warn', '1 constraint is not validated on the candidate', ['public.dup.positive']],
      ['foreign-key-broken', 'refuse', '1 row has no parent under simple', ['public.c.simple']],
      ['foreign-key-broken', 'refuse', '2 rows have no parent under whole', ['public.f.whole']],
      ['foreign-key-broken', 'refuse', '1 row has no parent under self', ['public.parted.self']],
    ]);
    await client.query("SET statement_timeout = '7s'");
    expect((await brokenForeignKeys(client, { budgetMs: 0 })).map(({ id, objects }) => [id, objects])).toEqual([
      ['foreign-key-unchecked', ['public.c.simple', 'public.f.whole', 'public.parted.self']],
    ]);
    expect(await one(client, 'SHOW statement_timeout')).toEqual({ statement_timeout: '7s' });
  });
}, 60_000);
