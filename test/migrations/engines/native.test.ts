import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { formatOf } from '../../../src/migrations/engines/native/format.ts';
import { sipHash13 } from '../../../src/migrations/engines/native/siphash.ts';
import {
  refineryChecksum,
  toolHistories,
  type NativeTool,
} from '../../../src/migrations/engines/native/tool-history.ts';
import { sqlFilesEngine } from '../../../src/migrations/engines/sql/engine.ts';
import { rows } from '../../../src/postgres/client.ts';
import { plainSql, withBench, type Bench } from './support.ts';

const sum = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');
const table = (number: number): string => `CREATE TABLE t${number} (id int PRIMARY KEY);\n`;

interface Trial {
  readonly files: (number: number) => Readonly<Record<string, string>>;
  /** As the tool leaves the database behind its first file. */
  readonly begun: string;
  readonly read: string;
  readonly after: readonly unknown[];
}

const journal = (count: number): string =>
  JSON.stringify({
    entries: [1, 2, 3].slice(0, count).map((number) => ({ idx: number, when: number * 1000, tag: `000${number}_t` })),
  });
const atlasFile = (number: number): string => `000${number}_t.sql`;
const atlasHash = (count: number): string => {
  const hash = createHash('sha256');
  for (let number = 1; number <= count; number++) hash.update(atlasFile(number)).update(table(number));
  return hash.digest('base64');
};

const trials: Readonly<Record<NativeTool, Trial>> = {
  'golang-migrate': {
    files: (number) => ({ [`000${number}_t.up.sql`]: table(number), [`000${number}_t.down.sql`]: 'this never runs' }),
    begun:
      'CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (1, false)',
    read: "SELECT version || ' ' || dirty AS row FROM schema_migrations",
    after: ['3 false'],
  },
  goose: {
    files: (number) => ({
      [`0000${number}_t.sql`]: `-- +goose Up\n${table(number)}-- +goose Down\nDROP TABLE t${number};`,
    }),
    begun:
      'CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp DEFAULT now());' +
      'INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)',
    read: "SELECT id || ' ' || version_id || ' ' || is_applied AS row FROM goose_db_version WHERE id > 4 ORDER BY id",
    after: ['5 2 true', '6 3 true'],
  },
  dbmate: {
    files: (number) => ({
      [`2026010${number}_t.sql`]: `-- migrate:up\n${table(number)}-- migrate:down\nDROP TABLE t${number};`,
    }),
    begun:
      "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY); INSERT INTO schema_migrations VALUES ('20260101')",
    read: 'SELECT version AS row FROM schema_migrations ORDER BY 1',
    after: ['20260101', '20260102', '20260103'],
  },
  'sql-migrate': {
    files: (number) => ({
      [`${number}-t.sql`]: `-- +migrate Up\n${table(number)}-- +migrate Down\nDROP TABLE t${number};`,
    }),
    begun:
      "CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz); INSERT INTO gorp_migrations VALUES ('1-t.sql', now())",
    read: 'SELECT id AS row FROM gorp_migrations WHERE applied_at IS NOT NULL ORDER BY 1',
    after: ['1-t.sql', '2-t.sql', '3-t.sql'],
  },
  tern: {
    files: (number) => ({
      [`00${number}_t.sql`]: `${table(number)}---- create above / drop below ----\nDROP TABLE t${number};`,
    }),
    begun: 'CREATE TABLE schema_version (version int4 NOT NULL); INSERT INTO schema_version VALUES (1)',
    read: 'SELECT version::text AS row FROM schema_version',
    after: ['3'],
  },
  sqlx: {
    files: (number) => ({ [`2026010${number}000000_t_${number}.sql`]: table(number) }),
    begun:
      'CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), ' +
      'success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);' +
      `INSERT INTO _sqlx_migrations VALUES (20260101000000, 't 1', now(), true, '\\x${sum('sha384', table(1))}', 1)`,
    read: "SELECT version || ' ' || description || ' ' || success || ' ' || encode(checksum, 'hex') AS row FROM _sqlx_migrations ORDER BY version",
    after: [1, 2, 3].map((number) => `2026010${number}000000 t ${number} true ${sum('sha384', table(number))}`),
  },
  diesel: {
    files: (number) => ({
      [`2026-01-0${number}-000000_t/up.sql`]: table(number),
      [`2026-01-0${number}-000000_t/down.sql`]: 'this never runs',
      [`2026-01-0${number}-000000_t/metadata.toml`]: 'run_in_transaction = false\n',
    }),
    begun:
      'CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);' +
      "INSERT INTO __diesel_schema_migrations VALUES ('20260101000000')",
    read: 'SELECT version AS row FROM __diesel_schema_migrations ORDER BY 1',
    after: ['20260101000000', '20260102000000', '20260103000000'],
  },
  refinery: {
    files: (number) => ({ [`V${number}__make_t.sql`]: table(number) }),
    begun:
      'CREATE TABLE refinery_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255));' +
      `INSERT INTO refinery_schema_history VALUES (1, 'make_t', 'x', '${refineryChecksum({ name: 'make_t', version: '1', bytes: Buffer.from(table(1)) })}')`,
    read: "SELECT version || ' ' || name AS row FROM refinery_schema_history WHERE checksum ~ '^\\d+$' ORDER BY version",
    after: ['1 make_t', '2 make_t', '3 make_t'],
  },
  drizzle: {
    files: (number) => ({ [`000${number}_t.sql`]: table(number), 'meta/_journal.json': journal(number) }),
    begun:
      'CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint);' +
      "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('x', 1000)",
    read: "SELECT id || ' ' || created_at || ' ' || hash AS row FROM drizzle.__drizzle_migrations ORDER BY id",
    after: ['1 1000 x', `2 2000 ${sum('sha256', table(2))}`, `3 3000 ${sum('sha256', table(3))}`],
  },
  atlas: {
    files: (number) => ({
      [atlasFile(number)]: table(number),
      'atlas.sum': `h1:x\n${[1, 2, 3]
        .slice(0, number)
        .map((each) => `${atlasFile(each)} h1:${atlasHash(each)}\n`)
        .join('')}`,
    }),
    begun:
      'CREATE SCHEMA atlas_schema_revisions; CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (version varchar PRIMARY KEY, ' +
      'description varchar NOT NULL, type bigint NOT NULL DEFAULT 2, applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, executed_at ' +
      'timestamptz NOT NULL, execution_time bigint NOT NULL, error text, error_stmt text, hash varchar NOT NULL, partial_hashes jsonb, operator_version ' +
      "varchar NOT NULL); INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('0001', 't', 1, 0, 0, now(), 0, NULL, NULL, '', NULL, 'x')",
    read: "SELECT version || ' ' || description || ' ' || applied || total || ' ' || hash AS row FROM atlas_schema_revisions.atlas_schema_revisions ORDER BY 1",
    after: ['0001 t 00 ', `0002 t 11 ${atlasHash(2)}`, `0003 t 11 ${atlasHash(3)}`],
  },
  supabase: {
    files: (number) => ({ [`2026010${number}000000_t.sql`]: table(number) }),
    begun:
      'CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text);' +
      "INSERT INTO supabase_migrations.schema_migrations VALUES ('20260101000000', '{}', 't')",
    read: "SELECT version || ' ' || name || ' ' || cardinality(statements) AS row FROM supabase_migrations.schema_migrations ORDER BY 1",
    after: ['20260101000000 t 0', '20260102000000 t 1', '20260103000000 t 1'],
  },
};

test("a database at a tool's first file gets the others, written down as the tool does; without a history all, or those behind a baseline", async () => {
  await withBench(undefined, async (bench) => {
    for (const tool of Object.keys(trials) as NativeTool[]) await goesOn(bench, tool);
  });
});

async function goesOn({ client, folder, write, apply }: Bench, tool: NativeTool): Promise<void> {
  const { files, begun, read, after } = trials[tool];
  const format = formatOf(tool);
  const { schema, table: name } = toolHistories[tool];
  const engine = sqlFilesEngine({ folder, format });
  const put = async (upTo: number): Promise<void> => {
    for (let number = 1; number <= upTo; number++)
      for (const [file, text] of Object.entries(files(number))) await write(file, text);
  };
  const ran = async (from: typeof engine): Promise<string[]> => {
    const done = await apply(from);
    expect(await apply(from), tool).toEqual([]);
    return done.map(({ version }) => version);
  };
  const clear = async (): Promise<void> => {
    await client.query(`DROP TABLE "${schema}"."${name}"; DROP TABLE IF EXISTS t1, t2, t3`);
    if (schema !== 'public') await client.query(`DROP SCHEMA "${schema}"`);
  };
  await rm(folder, { recursive: true });
  await mkdir(folder);
  await client.query(begun);
  await put(2);
  expect(await ran(engine), tool).toHaveLength(1);
  await put(3);
  expect(await ran(engine), tool).toHaveLength(1);
  expect(
    (await rows<{ row: string }>(client, read)).map(({ row }) => row),
    tool,
  ).toEqual(after);
  expect(await rows(client, "SELECT relname AS name FROM pg_class WHERE relname ~ '^t\\d$' ORDER BY 1")).toEqual([
    { name: 't2' },
    { name: 't3' },
  ]);
  expect(await rows(client, 'SELECT FROM verdigris.migration')).toEqual([]);

  await clear();
  const all = await engine.pending(client);
  expect(await ran(engine), tool).toHaveLength(3);
  await clear();
  expect(await ran(sqlFilesEngine({ folder, format, baseline: all[1]?.version })), tool).toHaveLength(1);
  // Once something is written down, that counts.
  expect(await sqlFilesEngine({ folder, format, baseline: '7' }).pending(client)).toEqual([]);
  await clear();
}

test("what ran by a history of Verdigris's own before is written into the tool's, and does not run again", async () => {
  await withBench(undefined, async ({ client, folder, write, apply }) => {
    for (const number of [1, 2])
      for (const [name, text] of Object.entries(trials.goose.files(number))) await write(name, text);
    await apply(plainSql(folder));
    for (const [name, text] of Object.entries(trials.goose.files(3))) await write(name, text);
    const goose = sqlFilesEngine({ folder, format: formatOf('goose') });
    expect((await apply(goose)).map(({ version }) => version)).toEqual(['00003']);
    expect(await rows(client, 'SELECT version_id AS id FROM goose_db_version ORDER BY id')).toEqual(
      ['0', '1', '2', '3'].map((id) => ({ id })),
    );
    expect(await rows(client, 'SELECT FROM verdigris.migration')).toEqual([]);
  });
});

test("a baseline that is no file's version is refused where nothing is written down", async () => {
  await withBench('sql', async ({ client, folder }) => {
    await expect(
      sqlFilesEngine({ folder, format: formatOf('sql'), baseline: '0009' }).pending(client),
    ).rejects.toMatchObject({ id: 'migration-baseline', seen: expect.stringContaining('0009') });
  });
});

test('what the tool itself refuses is refused: a changed file, a run that broke off, a list that does not fit', async () => {
  await withBench(undefined, async ({ client, folder, write }) => {
    const pending = (tool: NativeTool): Promise<unknown> =>
      sqlFilesEngine({ folder, format: formatOf(tool) }).pending(client);
    const lay = async (tool: NativeTool): Promise<void> => {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      await client.query(trials[tool].begun);
      for (const [name, text] of Object.entries(trials[tool].files(1))) await write(name, text);
    };
    for (const [tool, file] of [
      ['sqlx', '20260101000000_t_1.sql'],
      ['refinery', 'V1__make_t.sql'],
    ] as const) {
      await lay(tool);
      expect(await pending(tool)).toEqual([]);
      await writeFile(path.join(folder, file), 'SELECT 2;');
      await expect(pending(tool)).rejects.toMatchObject({ id: 'migration-changed' });
    }
    await lay('atlas');
    await write('0001_t.sql', 'SELECT 2;');
    await expect(pending('atlas')).rejects.toMatchObject({
      id: 'migration-list',
      next: expect.stringContaining('atlas migrate hash'),
    });
    await lay('golang-migrate');
    await client.query('UPDATE schema_migrations SET dirty = true');
    await expect(pending('golang-migrate')).rejects.toMatchObject({ id: 'migration-half-done' });
    await client.query(
      `CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.goose_db_version (id int, version_id int, is_applied bool);
        CREATE TABLE b.goose_db_version (id int, version_id int, is_applied bool)`,
    );
    await lay('goose').catch(() => undefined);
    await client.query('DROP TABLE public.goose_db_version');
    await expect(pending('goose')).rejects.toMatchObject({
      id: 'history-unclear',
      next: expect.stringContaining('a.goose_db_version'),
    });
    await expect(
      sqlFilesEngine({ folder, format: formatOf('goose'), history: 'b.goose_db_version' }).pending(client),
    ).resolves.toHaveLength(1);
  });
});

test("refinery's checksum is Rust's SipHash-1-3 of name, version and text", () => {
  expect(sipHash13(new Uint8Array())).toBe(0xd1fba762150c532cn);
  expect(refineryChecksum({ name: 'initial', version: '1', bytes: Buffer.from('SELECT 1;') })).toBe(
    '701382154757890431',
  );
});
