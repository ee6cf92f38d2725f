import { beforeAll, expect, test } from 'vitest';
import { flywayEngine } from '../../../src/migrations/engines/flyway.ts';
import { hasChinook } from '../engines/chinook.ts';
import { remove, scenario } from '../engines/scenario.ts';
import { withBench } from '../engines/support.ts';
import { addToPath, fetchLimit, flywayBin } from './tools.ts';

beforeAll(async () => addToPath(await flywayBin()), fetchLimit);

test.runIf(hasChinook)(
  'Flyway on Chinook: first run, failure, interruption, going on, nothing twice; a changed checksum and a late version are refused',
  { timeout: 500_000 },
  async () => {
    await withBench('flyway', async (bench) => {
      const engine = flywayEngine(bench.folder);
      await scenario(bench, {
        engine,
        own: ['flyway_schema_history'],
        knownAtFirst: true,
        tool: true,
        next: { file: 'V2__orders.sql', text: (sql) => sql },
        first: [
          { version: '1', name: 'customers' },
          { version: '', name: 'customer names' },
        ],
        second: [{ version: '2', name: 'orders' }],
      });
      // A repeatable one is pending again as soon as it changes; one that only Flyway can fill is not known beforehand.
      await bench.write(
        'R__customer_names.sql',
        "CREATE OR REPLACE VIEW customer_names AS SELECT name, '${flyway:database}'::text AS place FROM customers;\n",
      );
      await expect(bench.rehearse(engine)).rejects.toMatchObject({
        id: 'migration-effect-unknown',
        seen: expect.stringContaining('placeholders'),
      });
      expect(await bench.apply(engine)).toEqual([{ version: '', name: 'customer names' }]);
      await bench.write('V1_5__late.sql', 'CREATE TABLE late (id int PRIMARY KEY);');
      await expect(bench.apply(engine)).rejects.toMatchObject({
        id: 'migration-tool-failed',
        seen: expect.stringContaining('not applied to database: 1.5'),
      });
      await remove(bench, 'V1_5__late.sql');
      await bench.write('V2__orders.sql', 'CREATE TABLE other (id int PRIMARY KEY);');
      await expect(bench.apply(engine)).rejects.toMatchObject({
        id: 'migration-tool-failed',
        seen: expect.stringContaining('checksum mismatch'),
      });
    });
  },
);
