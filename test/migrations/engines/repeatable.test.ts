import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { describeChanges } from '../../../src/migrations/engines/repeatable/definitions.ts';
import { one, rows, withTransaction } from '../../../src/postgres/client.ts';
import { answered, asked, changeLog, codeCount, codeFolder, hasChinook, objects } from './chinook.ts';
import { plainSql, examples, withBench } from './support.ts';

test.runIf(hasChinook)(
  'stored code on Chinook: applied in the order of need, again when changed, with its difference; what it breaks is refused',
  { timeout: 300_000 },
  async () => {
    await withBench(undefined, async (bench) => {
      const { client, write, apply, said, folder } = bench;
      await bench.loadChinook();
      await cp(codeFolder, path.join(folder, 'repeatable'), { recursive: true });
      await write('0001_change_log.sql', changeLog);
      const engine = plainSql(folder);
      expect(await engine.pending(client)).toHaveLength(18);
      expect(await apply(engine)).toHaveLength(18);
      expect(await objects(client)).toBe(codeCount);
      expect(await rows(client, asked)).toEqual(answered);
      expect(await apply(engine)).toEqual([]);
      expect(said.filter((text) => text.startsWith('new: ')).length).toBeGreaterThanOrEqual(30);
      said.length = 0;

      // A change shows in the rehearsal, as the server prints it, and changes nothing.
      const before = await one(client, "SELECT pg_get_functiondef('customer_grade(int)'::regprocedure) AS text");
      const text = (total: number): string =>
        'CREATE OR REPLACE FUNCTION customer_grade(wanted int) RETURNS text LANGUAGE plpgsql STABLE AS ' +
        `$$\nDECLARE total numeric := customer_total(wanted);\nBEGIN\n  IF total > ${total} THEN RETURN 'gold'; END ` +
        `IF;\n  IF total > 38 THEN RETURN 'silver'; END IF;\n  RETURN 'plain';\nEND $$;\n`;
      await write('repeatable/sales/customer_grade.sql', text(60));
      await withTransaction(client, async () => {
        await engine.rehearse?.(client, (each) => said.push(each));
        throw new Error('rolled back');
      }).catch(() => undefined);
      expect(said).toEqual([
        "changed: function public.customer_grade(integer)\n  -   IF total > 45 THEN RETURN 'gold'; END IF;\n  +   IF total > 60 THEN RETURN 'gold'; END IF;",
      ]);
      expect(await one(client, "SELECT pg_get_functiondef('customer_grade(int)'::regprocedure) AS text")).toEqual(
        before,
      );
      expect(await apply(engine)).toEqual([{ version: 'repeatable', name: 'sales/customer_grade.sql' }]);

      // A numbered migration takes away what a function reads: nobody calls it during the release, and yet it is found.
      await write(
        '0002_drop.sql',
        'CREATE FUNCTION composer_of(t int) RETURNS text LANGUAGE sql AS $$ SELECT composer FROM track WHERE track_id = t $$;',
      );
      await apply(engine);
      await write('0003_drop.sql', 'ALTER TABLE track DROP COLUMN composer;');
      await expect(withTransaction(client, async () => engine.rehearse?.(client))).rejects.toMatchObject({
        id: 'function-broken',
        seen: expect.stringContaining('composer_of(integer): column "composer" does not exist'),
      });
      expect(await rows(client, "SELECT FROM information_schema.columns WHERE column_name = 'composer'")).toHaveLength(
        1,
      );
      await write(
        'repeatable/composer_of.sql',
        'CREATE OR REPLACE FUNCTION composer_of(t int) RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$;',
      );
      expect(await apply(engine)).toEqual([
        { version: '0003', name: 'drop' },
        { version: 'repeatable', name: 'composer_of.sql' },
      ]);
    });
  },
);

test('repeatable files that cannot be applied leave nothing: a name that nobody makes, a view that loses a column, a COMMIT, what does not parse', async () => {
  await withBench('sql', async ({ client, write, apply, folder }) => {
    const engine = plainSql(folder);
    await write('repeatable/lost.sql', 'SELECT 1;\nCREATE OR REPLACE VIEW lost AS SELECT * FROM nowhere;');
    await expect(apply(engine)).rejects.toMatchObject({
      id: 'repeatable-failed',
      seen: expect.stringMatching(/lost\.sql:2: relation "nowhere" does not exist/),
      next: expect.stringContaining('resumed'),
    });
    expect(
      await rows(client, "SELECT FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"),
    ).toEqual([]);
    await rm(path.join(folder, 'repeatable/lost.sql'));
    expect(await apply(engine)).toHaveLength(2);
    await write('repeatable/good_customers.sql', 'CREATE OR REPLACE VIEW good_customers AS SELECT id FROM customers;');
    await expect(apply(engine)).rejects.toMatchObject({
      id: 'repeatable-failed',
      next: expect.stringContaining('CREATE OR REPLACE cannot take away'),
    });
    await write('repeatable/good_customers.sql', 'COMMIT;');
    await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-forbidden' });
    await write('repeatable/good_customers.sql', 'CREATE OR REPLACE VIEW\n  good_customers SA SELECT 1;');
    await expect(apply(engine)).rejects.toMatchObject({
      id: 'sql-syntax',
      seen: expect.stringContaining('good_customers.sql:2:18'),
    });
  });
});

test('a folder of repeatable files alone is enough', async () => {
  await withBench(undefined, async ({ folder, apply }) => {
    await cp(path.join(examples, 'sql/repeatable/is_good.sql'), path.join(folder, 'repeatable/is_good.sql'));
    expect(await apply(plainSql(folder))).toEqual([{ version: 'repeatable', name: 'is_good.sql' }]);
  });
});

test('a changed object is told with its lines, as many as a person reads', () => {
  const changes = (before: string, after: string): string[] =>
    describeChanges(new Map([['view v', before]]), new Map([['view v', after]])).flatMap((text) => text.split('\n'));
  expect(changes('a\nb\nc', 'a\nx\ny\nc')).toEqual(['changed: view v', '  - b', '  + x', '  + y']);
  expect(changes('a\nb\nc\nd', 'x\nb\nc\ny')).toEqual(['changed: view v', '  - a', '  + x', '  - d', '  + y']);
  expect(changes('', Array.from({ length: 30 }, (_, n) => String(n)).join('\n')).at(-1)).toBe('  … 11 more lines');
});
