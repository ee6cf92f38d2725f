import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { MigrationEngine } from '../../../src/migrations/engine.ts';
import { flywayEngine } from '../../../src/migrations/engines/flyway.ts';
import { liquibaseEngine } from '../../../src/migrations/engines/liquibase.ts';
import { nodePgMigrateEngine } from '../../../src/migrations/engines/node-pg-migrate.ts';
import { sqlFilesEngine } from '../../../src/migrations/engines/sql.ts';
import { one, rows } from '../../../src/postgres/client.ts';
import { loadScript } from '../../../src/postgres/script.ts';
import { leftBehind, withBench, type Bench } from './support.ts';
import { addToPath, fetchLimit, flywayBin, liquibaseBin, useNodePgMigrate } from './tools.ts';

const chinook = process.env['VERDIGRIS_TEST_CHINOOK'] ?? '../shared/data/chinook.sql';
const here = new URL('chinook/', import.meta.url).pathname;
/** In the order in which they need each other. */
const files = ['catalogue/track_length', 'catalogue/artist_name', 'people/full_name', 'sales/invoice_total', 'catalogue/album_price', 'catalogue/album_length', 'catalogue/artist', 'catalogue/genre', 'catalogue/playlist', 'people/employee', 'sales/customer', 'sales/track_sales', 'sales/best_sellers', 'sales/revenue', 'sales/keep_total', 'audit/note_change', 'audit/attach'];
const table = 'CREATE TABLE change_log (change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, relation text NOT NULL, at timestamptz NOT NULL);\n';

interface Case {
  readonly name: string;
  readonly make: (bench: Bench) => Promise<MigrationEngine>;
  readonly file: string;
  readonly text: (sql: string) => string;
  /** Of the engine's own. */
  readonly own: readonly string[];
}

const cases: Case[] = [
  { name: 'plain SQL', make: async ({ folder }) => sqlFilesEngine(folder), file: '0001_code.sql', text: (sql) => sql, own: [] },
  { name: 'Flyway', make: async ({ folder, write }) => { addToPath(await flywayBin()); await write('flyway.conf', 'flyway.baselineOnMigrate=true\n'); return flywayEngine(folder); }, file: 'V2__code.sql', text: (sql) => sql, own: ['flyway_schema_history'] },
  { name: 'Liquibase', make: async (bench) => { addToPath(await liquibaseBin()); await bench.write('changelog.yaml', 'databaseChangeLog:\n  - include: { file: code.sql, relativeToChangelogFile: true }\n'); return liquibaseEngine(bench.folder); }, file: 'code.sql', text: (sql) => `--liquibase formatted sql\n--changeset shop:1 splitStatements:false\n${sql}`, own: ['databasechangelog', 'databasechangeloglock'] },
  { name: 'node-pg-migrate', make: async ({ folder, write }) => { await useNodePgMigrate(path.dirname(folder)); await write('backfills/1700000000001_fill.backfill.yaml', 'table: track\nset: composer = name\nwhere: composer IS NULL\n'); return nodePgMigrateEngine(folder); }, file: '1700000000000_code.sql', text: (sql) => `-- Up Migration\n${sql}`, own: ['pgmigrations'] },
];

test.each(cases)('$name brings 38 functions, views and triggers onto Chinook, or none of them', { timeout: fetchLimit }, async ({ make, file, text, own }) => {
  const code = table + (await Promise.all(files.map((name) => readFile(path.join(here, `${name}.sql`), 'utf8')))).join('\n');
  await withBench(undefined, async (bench) => {
    const { client, write, apply } = bench;
    await loadScript(client, chinook);
    const count = async (): Promise<unknown> => one(client, `SELECT
      (SELECT count(*)::int FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS functions,
      (SELECT count(*)::int FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace) AS views,
      (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers`);
    const engine = await make(bench);
    // The last of them cannot be made: nothing of it may stay.
    await write(file, text(`${code}\nCREATE VIEW broken AS SELECT no_such_function(1);\n`));
    await expect(apply(engine)).rejects.toMatchObject({ code: 'failed', next: expect.stringContaining('live colour is untouched') });
    expect(await count()).toEqual({ functions: 0, views: 0, triggers: 0 });
    await write(file, text(code));
    expect(await apply(engine)).toHaveLength(1);
    expect(await count()).toEqual({ functions: 20, views: 13, triggers: 5 });
    expect(await rows(client, "SELECT count(*)::int AS n, top_seller() IS NOT NULL AS sold, customer_grade(6) AS grade FROM album_facts")).toEqual([{ n: 347, sold: true, grade: 'gold' }]);
    expect(await apply(engine)).toEqual([]);
    const tables = await bench.tables();
    expect(own.filter((name) => !tables.includes(name))).toEqual([]);
    expect(await leftBehind(client)).toEqual([]);
  });
});
