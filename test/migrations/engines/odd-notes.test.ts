import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { formatOf } from '../../../src/migrations/engines/native/format.ts';
import { toolHistories, type NativeTool } from '../../../src/migrations/engines/native/tool-history.ts';
import { sqlFilesEngine } from '../../../src/migrations/engines/sql/engine.ts';
import { rows } from '../../../src/postgres/client.ts';
import { fill } from './folder.ts';
import { withBench, type Bench } from './support.ts';

const crlf = (text: string): string => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
const index = 'CREATE INDEX CONCURRENTLY i ON t (id);\n';
const wrapped =
  'BEGIN;\nCREATE TABLE w (id int PRIMARY KEY);\nINSERT INTO w VALUES (1);\nSAVEPOINT a;\nDROP TABLE w;\nROLLBACK TO a;\nEND;\n';
const body = "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN\n  RETURN '; -- not the end';\nEND; $$;\n";
const table = 'CREATE TABLE t (id int PRIMARY KEY);\n';
const never = 'DROP TABLE t CASCADE;\n';

const sum = (names: readonly (readonly [string, string])[]): string => {
  const hash = createHash('sha256');
  const lines = names.map(([name, text]) => `${name} h1:${hash.update(name).update(text).copy().digest('base64')}\n`);
  return `h1:x\n${lines.join('')}`;
};
const atlas = [
  ['1_a.sql', `-- atlas:nolint\n${table}${body}`],
  ['2_b.sql', `-- atlas:txmode none\n\n${index}`],
  ['3_c.sql', wrapped],
] as const;
const drizzle = (tags: readonly string[]): string =>
  JSON.stringify({ version: '7', entries: tags.map((tag, idx) => ({ idx, when: idx + 1, tag, breakpoints: true })) });

/** Three files each: a table and a body full of semicolons, an index CONCURRENTLY, and a transaction of its own. */
const folders: Readonly<Record<NativeTool, Readonly<Record<string, string>>>> = {
  'golang-migrate': {
    '1_a.up.sql': crlf(table + body),
    '1_a.down.sql': never,
    '2_b.up.SQL': index,
    '2_b.down.SQL': never,
    '3_c.up.sql': wrapped,
    '4_d.up.sql': '',
  },
  goose: {
    '1_a.sql': crlf(
      `-- +goose Up\n${table}-- +goose StatementBegin\n${body}-- +goose StatementEnd\n\n-- +goose Down\n${never}`,
    ),
    '2_b.sql': `-- +goose NO TRANSACTION\n-- +goose Up\n${index}-- +goose Down\n${never}`,
    '3_c.sql': `-- +goose ENVSUB OFF\n-- +goose Up\n${wrapped}`,
    '4_d.sql': `-- +goose Up\n-- nothing\n-- +goose Down\n${never}`,
  },
  dbmate: {
    '1_a.sql': crlf(`-- migrate:up\n${table}${body}\n-- migrate:down\n${never}`),
    '2_b.sql': `-- why\n-- migrate:up transaction:false\n${index}-- migrate:down transaction:false\n${never}`,
    '3_c.sql': `-- migrate:up\n${wrapped}`,
    '4_d.sql': `-- migrate:up\n\n-- migrate:down\n`,
  },
  'sql-migrate': {
    '1-a.sql': crlf(`-- +migrate Up\n${table}-- +migrate StatementBegin\n${body}-- +migrate StatementEnd\n`),
    '2-b.sql': `-- +migrate Up notransaction\n${index}\n-- +migrate Down notransaction\n${never}`,
    '3-c.sql': `-- +migrate Down\n${never}-- +migrate Up\n${wrapped}`,
    '4-d.sql': '-- +migrate Up\n',
  },
  tern: {
    '001_a.sql': crlf(`${table}${body}\n---- create above / drop below ----\n${never}`),
    '002_b.sql': `---- tern: disable-tx ----\n${index}---- create above / drop below ----\n${never}`,
    '003_c.sql': wrapped,
    '004_d.sql': `-- nothing\n---- create above / drop below ----\n`,
  },
  sqlx: {
    '1_a.sql': crlf(table + body),
    '2_b.sql': `-- no-transaction\n${index}`,
    '3_c.sql': wrapped,
    '4_d.sql': '-- nothing',
  },
  diesel: {
    '00000000000000_diesel_initial_setup/up.sql': body,
    '2026-01-15-120000_a/up.sql': crlf(table),
    '2026-01-15-120000_a/down.sql': never,
    '2026-01-16-120000_b/up.sql': index,
    '2026-01-16-120000_b/metadata.toml': '# why\nrun_in_transaction = false # because\n',
    '2026-01-17-120000_c/up.sql': wrapped,
  },
  refinery: { 'V1__a.sql': crlf(table + body), 'U2__b.sql': index, 'V3__c.sql': wrapped, 'V4__d.sql': '' },
  drizzle: {
    'meta/_journal.json': drizzle(['0000_a', '0001_b', '0002_c', '0003_d']),
    '0000_a.sql': `${table.replace(';\n', ';--> statement-breakpoint\n')}${body}`,
    '0001_b.sql': index,
    '0002_c.sql': wrapped,
    '0003_d.sql': '-- Custom SQL migration file, put your code below! --',
    '0009_not_listed.sql': never,
  },
  atlas: { ...Object.fromEntries(atlas), 'atlas.sum': sum(atlas) },
  supabase: { '1_a.sql': crlf(table + body), '2_b.sql': index, '3_c.sql': wrapped, '4_d.sql': ';;' },
};

async function made({ client }: Bench): Promise<unknown> {
  const [found] = await rows(
    client,
    `SELECT to_regclass('t') IS NOT NULL AS t, (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('i')) AS i,
      (SELECT count(*)::int FROM w) AS w, f() AS f, (SELECT count(*)::int FROM verdigris.migration) AS left`,
  );
  return found;
}

test("each tool's files with its own marks, notes, line ends and transactions are run whole, and nothing of the ways back", async () => {
  await withBench(undefined, async (bench) => {
    for (const [tool, files] of Object.entries(folders) as [NativeTool, (typeof folders)[NativeTool]][]) {
      await rm(bench.folder, { recursive: true });
      await mkdir(bench.folder);
      await fill(bench.folder, files);
      const engine = sqlFilesEngine({ folder: bench.folder, format: formatOf(tool) });
      const count = tool === 'atlas' ? 3 : 4;
      expect(await bench.apply(engine), tool).toHaveLength(count);
      expect(await made(bench), tool).toEqual({ t: true, i: true, w: 1, f: '; -- not the end', left: 0 });
      expect(await bench.apply(engine), tool).toEqual([]);
      const { schema, table: name } = toolHistories[tool];
      await bench.client.query(`DROP TABLE t, w, "${schema}"."${name}"; DROP FUNCTION f()`);
      if (schema !== 'public') await bench.client.query(`DROP SCHEMA "${schema}"`);
    }
  });
});
