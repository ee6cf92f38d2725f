import path from 'node:path';
import { expect, test } from 'vitest';
import { nodePgMigrateEngine } from '../../../src/migrations/engines/node-pg-migrate.ts';
import { scenario } from '../engines/scenario.ts';
import { hasChinook } from '../engines/chinook.ts';
import { withBench } from '../engines/support.ts';
import { fetchLimit, useNodePgMigrate } from './tools.ts';

test.runIf(hasChinook)(
  'node-pg-migrate on Chinook: first run, failure, interruption, going on, nothing twice; a late one is refused, a changed one is not seen',
  { timeout: fetchLimit },
  async () => {
    await withBench('node-pg-migrate', async (bench) => {
      // It takes every entry of its folder for a migration, so that the project is the folder above.
      await useNodePgMigrate(path.dirname(bench.folder));
      await bench.write(
        'backfills/1700000000001_fill.backfill.yaml',
        'table: track\nset: composer = name\nwhere: composer IS NULL\n',
      );
      const engine = nodePgMigrateEngine(bench.folder);
      const text = (sql: string): string =>
        `export const up = (pgm) => { pgm.sql(${JSON.stringify(sql)}); };\nexport const down = false;\n`;
      await scenario(bench, {
        engine,
        own: ['pgmigrations'],
        knownAtFirst: false,
        tool: true,
        next: { file: '1700000002000_orders.js', text },
        first: [{ version: '1700000000000', name: 'customers' }],
        second: [{ version: '1700000002000', name: 'orders' }],
      });
      // It keeps names only.
      await bench.write('1700000002000_orders.js', text('CREATE TABLE other (id int PRIMARY KEY);'));
      expect(await bench.apply(engine)).toEqual([]);
      await bench.write('1700000001000_late.js', text('CREATE TABLE late (id int PRIMARY KEY);'));
      await expect(bench.apply(engine)).rejects.toMatchObject({
        id: 'migration-tool-failed',
        seen: expect.stringContaining('1700000001000_late'),
      });
    });
  },
);
