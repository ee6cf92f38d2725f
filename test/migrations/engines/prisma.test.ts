import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { prismaEngine } from '../../../src/migrations/engines/prisma.ts';
import { leftBehind, withBench } from './support.ts';
import { fetchLimit, usePrisma } from './tools.ts';

/** Runs the schema engine of npm. The adapter of this version does not know PostgreSQL's type `name`, which Prisma itself asks for. */
const config = `
import { PrismaPg } from '@prisma/adapter-pg';
import Result from 'pg/lib/result.js';
import { defineConfig } from 'prisma/config';
const { addFields } = Result.prototype;
Result.prototype.addFields = function (fields) {
  for (const field of fields) if (field.dataTypeID === 19) field.dataTypeID = 25;
  return addFields.call(this, fields);
};
export default defineConfig({
  experimental: { adapter: true }, engine: 'js', schema: 'schema.prisma', migrations: { path: 'migrations' },
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL, idleTimeoutMillis: 50 }),
});
`;

test('Prisma: goes on after one failed statement, asks for a new candidate after several or an interruption; a changed checksum is refused, a late one runs', { timeout: fetchLimit }, async () => {
  await withBench('prisma', async (bench) => {
    const { client, apply, tables, write } = bench;
    await usePrisma(bench.folder);
    await writeFile(path.join(bench.folder, 'prisma.config.ts'), config);
    const engine = prismaEngine(bench.folder);
    const orders = (sql: string): Promise<void> => write('migrations/20260103000000_orders/migration.sql', sql);
    expect(await bench.rehearse(engine)).toEqual(['customers']);
    expect(await apply(engine)).toEqual([{ version: '20260101000000', name: 'customers' }]);
    expect(await tables()).toEqual(['_prisma_migrations', 'customers']);
    expect(await leftBehind(client)).toEqual([]);

    await orders('SELECT 1/0;');
    await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-tool-failed', seen: expect.stringContaining('division by zero'), next: expect.stringMatching(/can be resumed.*live colour is untouched/) });
    await orders('CREATE TABLE orders (id int PRIMARY KEY);');
    expect(await bench.rehearse(engine)).toEqual(['_prisma_migrations', 'customers', 'orders']);
    expect(await apply(engine)).toEqual([{ version: '20260103000000', name: 'orders' }]);
    expect(await apply(engine)).toEqual([]);

    await write('migrations/20260102000000_late/migration.sql', 'CREATE TABLE late (id int PRIMARY KEY);');
    expect(await apply(engine)).toEqual([{ version: '20260102000000', name: 'late' }]);
    await orders('CREATE TABLE other (id int PRIMARY KEY);');
    await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-changed' });
    await orders('CREATE TABLE orders (id int PRIMARY KEY);');

    // With its driver adapter, Prisma commits each statement by itself: the half that is done is not taken for nothing.
    await write('migrations/20260104000000_half/migration.sql', 'CREATE TABLE half (id int PRIMARY KEY);\nSELECT 1/0;');
    await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-tool-failed', next: expect.stringMatching(/2 statements.*Abandon the candidate/) });
    await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-half-done', next: expect.stringContaining('abandon') });
    expect(await leftBehind(client)).toEqual([]);
    await client.query("DELETE FROM _prisma_migrations WHERE finished_at IS NULL; DROP TABLE IF EXISTS half");
    await write('migrations/20260104000000_half/migration.sql', 'SELECT pg_sleep(100);');
    expect(await bench.interrupt(engine)).toMatchObject({ code: 'interrupted', id: 'migration-interrupted', next: expect.stringMatching(/cut short.*Abandon the candidate/) });
    await expect(apply(engine)).rejects.toMatchObject({ id: 'migration-half-done' });
    expect(await leftBehind(client)).toEqual([]);
  });
});
