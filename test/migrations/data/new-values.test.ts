import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { planData } from '../../../src/migrations/data/plan.ts';
import { readSqlFiles } from '../../../src/migrations/engines/sql/files.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withEnvironment } from '../../support/environment.ts';
import { temporaryFolder } from '../../support/postgres.ts';

const add = "ALTER TYPE public.status ADD VALUE 'archived';";
const archive = "UPDATE public.orders SET status = 'archived' WHERE id = 1;";

const fill = async (client: Client): Promise<void> => {
  await client.query(`
    CREATE TYPE public.status AS ENUM ('new', 'old'); CREATE TABLE public.orders (id int PRIMARY KEY, status public.status, said text);
    INSERT INTO public.orders VALUES (1, 'new'), (2, 'old')`);
};

const statements: readonly [string, readonly string[]][] = [
  [archive, ['archived']],
  ["UPDATE orders SET status = 'old' WHERE said <> 'archived'", []],
  ["UPDATE orders SET said = 'archived'", []],
  ["INSERT INTO orders SELECT 9, CASE WHEN true THEN 'archived'::status END WHERE 'a' < 'b'", ['archived']],
  ["INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET status = 'archived'", ['archived']],
  ["DELETE FROM orders WHERE status = 'archived'", []],
  ["DO $$ BEGIN UPDATE orders SET status = 'archived'; END $$", ['archived']],
  ["INSERT INTO fresh VALUES ('archived')", []],
  [`-- verdigris: place=live reason=seen there\n${archive}`, []],
];

async function withFiles<T>(statement: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, '0001_add.sql'), add);
  await writeFile(path.join(folder, '0002_write.sql'), statement);
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a release that writes the value which it adds to an enum is told beforehand where its way back ends, and it ends there', async () => {
  await withFiles(archive, async (migrations) => {
    await withEnvironment({ fill, migrations }, async ({ verb, on, events }) => {
      const live = await on('blue', readTables);
      for (const [statement, values] of statements)
        await withFiles(statement, async (folder) => {
          const planned = planData(await readSqlFiles(folder), live);
          expect([statement, planned.flatMap(({ newValues = [] }) => newValues.map(({ value }) => value))]).toEqual([
            statement,
            values,
          ]);
        });
      const said = [
        `public.status takes 'archived' from now on; the release itself ends the way back by writing such a row: ` +
          `0002_write.sql:1: ${archive.slice(0, -1)} (at the switchover)`,
      ];
      const found = () =>
        events.flatMap((event) =>
          event.type === 'finding' && event.finding.id === 'ends-lossless-rollback' ? [event.finding.objects] : [],
        );
      await verb('seed');
      await verb('migrate');
      expect(found()).toEqual([said]);
      await verb('verify');
      await verb('switch');
      expect(found()).toEqual([said, said]);
      expect(await on('green', (client) => rows(client, 'SELECT status FROM orders WHERE id = 1'))).toEqual([
        { status: 'archived' },
      ]);
      await expect(verb('rollback')).rejects.toThrow(/archived/);
    });
  });
});

test('with rollback: required such a release is refused with the statement', async () => {
  await withFiles(archive, async (migrations) => {
    const declaration = { rollback: 'required' };
    await withEnvironment({ fill, migrations, declaration }, async ({ verb }) => {
      // By its text, before the copy that would have been for nothing.
      await expect(verb('seed')).rejects.toThrow(/0002_write\.sql:1/);
    });
  });
});
