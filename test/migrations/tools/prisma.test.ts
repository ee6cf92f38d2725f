import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { prismaEngine } from '../../../src/migrations/engines/prisma.ts';
import { rows } from '../../../src/postgres/client.ts';
import { answered, asked, code, codeCount, hasChinook, objects } from '../engines/chinook.ts';
import { leftBehind, withBench } from '../engines/support.ts';
import { fetchLimit, usePrisma } from './tools.ts';

/**
 * Runs the schema engine of npm. The adapter of this version does not know PostgreSQL's type `name`, which Prisma
 * itself asks for, and cuts scripts at each semicolon, those inside function bodies too; the native engine, which is
 * not to be had from npm, sends them whole.
 */
const config = `
import { PrismaPg } from '@prisma/adapter-pg';
import Result from 'pg/lib/result.js';
import { defineConfig } from 'prisma/config';
const { addFields } = Result.prototype;
Result.prototype.addFields = function (fields) {
  for (const field of fields) if (field.dataTypeID === 19) field.dataTypeID = 25;
  return addFields.call(this, fields);
};
const whole = (factory) => {
  const { connect } = factory;
  factory.connect = async () => {
    const made = await connect.call(factory);
    made.executeScript = (script) => made.client.query(script).then(() => undefined, (error) => made.onError(error));
    return made;
  };
  return factory;
};
export default defineConfig({
  experimental: { adapter: true }, engine: 'js', schema: 'schema.prisma', migrations: { path: 'migrations' },
  adapter: async () => whole(new PrismaPg({ connectionString: process.env.DATABASE_URL, idleTimeoutMillis: 50 })),
});
`;

test.runIf(hasChinook)(
  'Prisma on Chinook: goes on after one failed statement, asks for a new candidate after more; a changed checksum is refused, a late one runs',
  { timeout: fetchLimit },
  async () => {
    await withBench('prisma', async (bench) => {
      const { client, apply, tables, write } = bench;
      await usePrisma(bench.folder);
      await writeFile(path.join(bench.folder, 'prisma.config.ts'), config);
      const engine = prismaEngine(bench.folder);
      const orders = (sql: string): Promise<void> => write('migrations/20260103000000_orders/migration.sql', sql);
      /** As a candidate that is seeded again: without what the half-done migration left, which is not known. */
      const again = async (): Promise<void> =>
        void (await client.query('DELETE FROM _prisma_migrations WHERE finished_at IS NULL'));
      expect(await bench.rehearse(engine)).toEqual(['customers']);
      expect(await apply(engine)).toEqual([{ version: '20260101000000', name: 'customers' }]);
      expect(await tables()).toEqual(['_prisma_migrations', 'customers']);
      expect(await leftBehind(client)).toEqual([]);
      await bench.loadChinook();
      const stored = await code();

      const note = (sql: string): Promise<void> => write('migrations/20260101120000_note/migration.sql', sql);
      await note('SELECT 1/0;');
      await expect(apply(engine)).rejects.toMatchObject({
        id: 'migration-tool-failed',
        seen: expect.stringContaining('division by zero'),
        next: expect.stringMatching(/can be resumed.*live colour is untouched/),
      });
      await note('CREATE TABLE note (id int PRIMARY KEY);');
      expect(await apply(engine)).toEqual([{ version: '20260101120000', name: 'note' }]);
      // It promises no transaction: the half that may be done is not taken for nothing.
      await orders(`${stored}\nSELECT 1/0;`);
      await expect(apply(engine)).rejects.toMatchObject({
        id: 'migration-tool-failed',
        next: expect.stringMatching(/\d\d statements.*Abandon the candidate/),
      });
      await expect(apply(engine)).rejects.toMatchObject({
        id: 'migration-half-done',
        next: expect.stringContaining('abandon'),
      });
      expect(await leftBehind(client)).toEqual([]);
      await again();
      await orders(`${stored}\nSELECT pg_sleep(100);`);
      expect(await bench.interrupt(engine)).toMatchObject({
        code: 'interrupted',
        id: 'migration-interrupted',
        next: expect.stringMatching(/interrupted.*Abandon the candidate/),
      });
      await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-half-done' });
      expect(await leftBehind(client)).toEqual([]);
      expect(await objects(client)).toBe(0);
      await again();

      await orders(`${stored}\nCREATE TABLE orders (id int PRIMARY KEY);`);
      expect(await bench.rehearse(engine)).toEqual(['_prisma_migrations', 'change_log', 'customers', 'note', 'orders']);
      expect(await apply(engine)).toEqual([{ version: '20260103000000', name: 'orders' }]);
      expect(await apply(engine)).toEqual([]);
      expect(await objects(client)).toBe(codeCount);
      expect(await rows(client, asked)).toEqual(answered);
      expect(await leftBehind(client)).toEqual([]);

      await write('migrations/20260102000000_late/migration.sql', 'CREATE TABLE late (id int PRIMARY KEY);');
      expect(await apply(engine)).toEqual([{ version: '20260102000000', name: 'late' }]);
      await orders('CREATE TABLE other (id int PRIMARY KEY);');
      await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-changed' });
    });
  },
);
