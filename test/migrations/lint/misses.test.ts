import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { sqlFiles } from '../../../src/migrations/lint/walk.ts';

/** `rule severity` of what is found in the last of the files, which is the release at hand. */
async function found(...texts: readonly string[]): Promise<string[]> {
  const files = texts.map((text, index) => ({ path: `${index}.sql`, text, applied: index < texts.length - 1 }));
  const { findings } = await lintFiles(files);
  return findings.map(({ rule, severity }) => `${rule} ${severity}`);
}

test('a folder whose name ends in .sql is gone into', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lint-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const inner = path.join(folder, '2024_users.sql');
  await mkdir(inner);
  await writeFile(path.join(inner, 'migration.sql'), 'SELECT 1;');
  expect((await sqlFiles([folder])).map((file) => file.path)).toEqual([path.join(inner, 'migration.sql')]);
});

test('links are followed, each folder once; what is hidden or no file is passed over, a link to nowhere is said', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lint-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [inner, links] = [path.join(folder, 'real'), path.join(folder, 'links')];
  for (const made of [inner, links]) await mkdir(made);
  await writeFile(path.join(inner, '1.sql'), 'SELECT 1;');
  await writeFile(path.join(links, '._2.sql'), 'left by a Mac');
  await symlink('../real', path.join(links, 'deep.sql'));
  await symlink('.', path.join(links, 'loop'));
  await symlink('../real/1.sql', path.join(links, '3.sql'));
  expect((await sqlFiles([links])).map((file) => path.relative(links, file.path))).toEqual(['3.sql', 'deep.sql/1.sql']);
  await symlink('nowhere', path.join(links, '4.sql'));
  await expect(sqlFiles([links])).rejects.toMatchObject({ id: 'lint-path', seen: expect.stringContaining('4.sql') });
});

test('of a folder of Drizzle its journal says what runs, and in which order; a folder that it lists nothing of is read by names', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lint-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'meta'));
  for (const name of ['0000_b', '0000_a', '0001_gone', '0002_c']) await writeFile(path.join(folder, `${name}.sql`), '');
  const listed = async (...tags: readonly string[]) => {
    const entries = tags.map((tag, idx) => ({ idx, tag, when: idx + 1 }));
    await writeFile(path.join(folder, 'meta', '_journal.json'), JSON.stringify({ entries }));
    return (await sqlFiles([folder])).map((file) => path.basename(file.path, '.sql'));
  };
  expect(await listed('0000_b', '0002_c', '0000_a')).toEqual(['0000_b', '0002_c', '0000_a']);
  expect(await listed('other')).toEqual(['0000_a', '0000_b', '0001_gone', '0002_c']);
});

test('what ROLLBACK TO takes back is neither judged nor learned, unless no file may hold it', async () => {
  const [table, back] = ['CREATE TABLE t (id int PRIMARY KEY, n int);', 'ROLLBACK TO a;'];
  expect(await found(table, 'SAVEPOINT a; DROP TABLE t;')).toContain('drop-table error');
  expect(await found(table, `SAVEPOINT a; DROP TABLE t; ${back} SELECT 1;`)).toEqual([]);
  expect(await found(table, `SAVEPOINT a; DROP TABLE t; RELEASE a;`)).toContain('drop-table error');
  expect(await found(table, `SAVEPOINT a; ${back} DROP TABLE t;`)).toContain('drop-table error');
  expect(await found(table, `SAVEPOINT a; DO $$ BEGIN DROP TABLE t; END $$; ${back}`)).toEqual([]);
  // Still there for what comes behind it, in this file and in the next.
  expect(await found(table, `SAVEPOINT a; DROP TABLE t; ${back}`, 'ALTER TABLE t DROP COLUMN n;')).toContain(
    'drop-column error',
  );
  expect(await found(`SAVEPOINT a; CREATE ROLE r; ALTER SYSTEM SET work_mem = 1; ${back}`)).toEqual([
    'role-management error',
    'other-database error',
  ]);
});

test.each([
  ['BEGIN; SELECT 1; COMMIT;', 'info'],
  ['SET x.y = 1; BEGIN; SELECT 1; COMMIT;', 'info'],
  ['BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT; VACUUM;', 'info'],
  ['BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2;', 'error'],
  ['SELECT 1; COMMIT;', 'error'],
  ['BEGIN; SELECT 1; ROLLBACK;', 'error'],
])('transactions of a file are said as the runner takes them: %s', async (text, severity) => {
  expect((await found(text)).filter((each) => each.startsWith('transaction-control'))).toEqual([
    `transaction-control ${severity}`,
  ]);
});

test('a value of an enum that one transaction of a file adds may be used in the next', async () => {
  const [type, add] = ["CREATE TYPE mood AS ENUM ('sad');", "ALTER TYPE mood ADD VALUE 'calm';"];
  const use = "CREATE TABLE feels (id int PRIMARY KEY, m mood DEFAULT 'calm');";
  const name = 'enum-value-used-in-transaction error';
  expect(await found(type, `BEGIN; ${add} ${use} COMMIT;`)).toContain(name);
  expect(await found(type, `BEGIN; ${add} COMMIT; BEGIN; ${use} COMMIT;`)).not.toContain(name);
  expect(await found(type, `BEGIN; ${add} COMMIT; ${use}`)).not.toContain(name);
});

test.each(['mood[]', 'mood ARRAY', 'other.pair[][]', 'hstore[3]'])(
  'a PL/pgSQL function that returns %s is no fault of syntax, a broken body of it is',
  async (type) => {
    const create = (body: string) => `CREATE FUNCTION ä() RETURNS ${type} LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;`;
    expect(await found(create('RETURN NULL;'))).not.toContain('syntax error');
    expect(await found(create('RETURN NULL'))).toContain('syntax error');
  },
);

test.each([
  '(OUT a mood[])',
  '(OUT a mood[]) RETURNS mood[]',
  '(x mood[], VARIADIC y mood[]) RETURNS void',
  '() RETURNS t.a%TYPE',
  '(x t.a%TYPE) RETURNS SETOF t.b %TYPE',
])('a PL/pgSQL function %s is no fault of syntax, a broken body of it is', async (signature) => {
  const create = (body: string) => `CREATE FUNCTION ä${signature} LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;`;
  expect(await found(create('NULL;'))).not.toContain('syntax error');
  expect(await found(create('NULL'))).toContain('syntax error');
});

test.each([
  ['shop', 'DROP SCHEMA shop', 'drop-schema error'],
  ['shop', 'ALTER SCHEMA shop RENAME TO market', 'rename-object error'],
  ['public.mood', 'ALTER TYPE mood RENAME TO feeling', 'rename-object error'],
  ['public.f(integer)', 'ALTER FUNCTION f(int) RENAME TO g', 'rename-object error'],
])('a note that speaks of %s allows %s', async (object, sql, rule) => {
  expect(await found(`${sql};`)).toContain(rule);
  expect(await found(`-- verdigris: contract ${object} last-used-by 41\n${sql};`)).not.toContain(rule);
});

test('a new key is nothing to software N where its rows differ in it, or differ without it', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, b text, c text); CREATE UNIQUE INDEX one ON t (b);';
  const part = 'CREATE TABLE t (id int PRIMARY KEY, b text, c text); CREATE UNIQUE INDEX one ON t (b) WHERE c > b;';
  const column = (said: string, index: string) => found(table, `ALTER TABLE t ADD COLUMN n ${said}; ${index}`);
  const harmless = [
    await column('text', 'CREATE UNIQUE INDEX ON t (lower(n));'),
    await column('text DEFAULT NULL', 'CREATE UNIQUE INDEX ON t (n);'),
    await column('uuid DEFAULT gen_random_uuid()', 'CREATE UNIQUE INDEX ON t (n);'),
    await column('bigserial', 'ALTER TABLE t ADD CONSTRAINT k UNIQUE (n);'),
    await column('text, ADD CONSTRAINT k UNIQUE (n)', ''),
    await column('uuid DEFAULT gen_random_uuid(), ADD UNIQUE (n)', ''),
    await column('boolean NOT NULL DEFAULT false', 'CREATE UNIQUE INDEX ON t (c) WHERE n;'),
    await column("text DEFAULT 'x'", "CREATE UNIQUE INDEX ON t (c) WHERE n = 'y' AND id > 0;"),
    await found(table, 'CREATE UNIQUE INDEX two ON t (b, c); DROP INDEX one;'),
    await found(table, 'DROP INDEX one; CREATE UNIQUE INDEX two ON t (c, b);'),
  ];
  for (const seen of harmless) expect(seen).not.toContain('new-unique error');
  const stopping = [
    await column('text', "CREATE UNIQUE INDEX ON t (coalesce(n, ''));"),
    await column('timestamptz DEFAULT now()', 'CREATE UNIQUE INDEX ON t (n);'),
    await column('int DEFAULT 1, ADD CONSTRAINT k UNIQUE (n)', ''),
    await column('boolean NOT NULL DEFAULT false', 'CREATE UNIQUE INDEX ON t (c) WHERE NOT n;'),
    await column(
      'boolean DEFAULT false; ALTER TABLE t ALTER n SET DEFAULT true',
      'CREATE UNIQUE INDEX ON t (c) WHERE n;',
    ),
    await column('text GENERATED ALWAYS AS (lower(c)) STORED', 'CREATE UNIQUE INDEX ON t (n);'),
    await found(part, 'CREATE UNIQUE INDEX two ON t (b, c); DROP INDEX one;'),
  ];
  for (const seen of stopping) expect(seen).toContain('new-unique error');
});

test('a foreign key on a new column is looked up where a default fills the column, and only there', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY);';
  expect(await found(table, 'ALTER TABLE t ADD COLUMN u int DEFAULT 1 REFERENCES u (id);')).toContain(
    'add-foreign-key-scan warning',
  );
  expect(await found(table, 'ALTER TABLE t ADD COLUMN u int REFERENCES u (id);')).not.toContain(
    'add-foreign-key-scan warning',
  );
});

test('a primary key by an index implies NOT NULL: read under lock, and refused to the live release', async () => {
  const table =
    'CREATE TABLE t (id int NOT NULL, name text); CREATE UNIQUE INDEX by_name ON t (name); CREATE UNIQUE INDEX by_id ON t (id);';
  const key = (index: string) => found(table, `ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX ${index};`);
  expect(await key('by_name')).toEqual(expect.arrayContaining(['set-not-null-scan warning', 'new-not-null error']));
  expect(await key('by_id')).toEqual([]);
  expect(await found('CREATE TABLE t (a int);', 'ALTER TABLE t ADD PRIMARY KEY (a);')).toContain('new-not-null error');
});

test('NOT NULL is nothing new to the live release where a check of its own refuses null, validated or not', async () => {
  const table = (check: string) =>
    `CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT given CHECK (${check}) NOT VALID;`;
  const set = 'ALTER TABLE t ALTER a SET NOT NULL, DROP CONSTRAINT given;';
  expect(await found(table('a IS NOT NULL'), set)).not.toContain('new-not-null error');
  expect(await found(table('a > 0'), set)).toContain('new-not-null error');
  expect(await found('CREATE TABLE t (a int);', `${table('a IS NOT NULL').slice(26)} ${set}`)).toContain(
    'new-not-null error',
  );
});

test('unique on a column of the release itself trips nobody, unless a default fills it or nulls are not distinct', async () => {
  const unique = (column: string, index: string) =>
    found('CREATE TABLE t (id int PRIMARY KEY, b text);', `ALTER TABLE t ADD COLUMN ${column}; ${index};`);
  expect(await unique('n text', 'CREATE UNIQUE INDEX CONCURRENTLY one ON t (n)')).not.toContain('new-unique error');
  expect(await unique('n text', 'CREATE UNIQUE INDEX CONCURRENTLY one ON t (b, n)')).not.toContain('new-unique error');
  expect(await unique('n text', 'ALTER TABLE t ADD UNIQUE (n)')).not.toContain('new-unique error');
  for (const [column, index] of [
    ['n text', 'CREATE UNIQUE INDEX CONCURRENTLY one ON t (b)'],
    ["n text DEFAULT 'x'", 'CREATE UNIQUE INDEX CONCURRENTLY one ON t (n)'],
    ['n text', 'CREATE UNIQUE INDEX CONCURRENTLY one ON t (n) NULLS NOT DISTINCT'],
    ["n text DEFAULT 'x'", 'ALTER TABLE t ADD UNIQUE (n)'],
  ] as const)
    expect(await unique(column, index), `${column}: ${index}`).toContain('new-unique error');
});

test("a default's function that none of the files makes may be volatile; PostgreSQL's own steady ones are not", async () => {
  const column = (value: string) =>
    found('CREATE TABLE t (id int);', `ALTER TABLE t ADD COLUMN x text DEFAULT ${value};`);
  for (const value of ['next_code()', 'app.now()', 'lower(next_code())'])
    expect(await column(value), value).toContain('add-column-volatile-default warning');
  for (const value of ['now()', 'lower(pg_catalog.md5(current_user))', "to_char(now(), 'YYYY')", "concat('a', 'b')"])
    expect(await column(value), value).toEqual([]);
});

test('a foreign key is asked for an index on its columns where all indexes are known, and the index may come after it', async () => {
  const tables = 'CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, a int, b int);';
  const add = 'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID;';
  const rule = 'foreign-key-without-index info';
  expect(await found(tables, add)).toContain(rule);
  expect(await found(`${tables} CREATE INDEX ON t (b, a);`, add)).toContain(rule);
  expect(await found(`${tables} CREATE INDEX ON t (a) WHERE b > 0;`, add)).toContain(rule);
  expect(await found(tables, `${add} CREATE INDEX ON t (a, b);`)).not.toContain(rule);
  expect(await found(add)).not.toContain(rule);
  expect(await found('ALTER TABLE t ADD COLUMN a int REFERENCES u;')).toContain(rule);
  expect(await found('CREATE TABLE s (id int PRIMARY KEY REFERENCES u, t int REFERENCES u UNIQUE);')).not.toContain(
    rule,
  );
});

test('what is written elsewhere counts the same: in WITH, by set_config, an index moved, an event trigger', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, a int);';
  for (const [sql, rule] of [
    ['WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone;', 'delete-without-where error'],
    ['WITH new AS (UPDATE t SET a = 1 RETURNING *) DELETE FROM t WHERE id = 1;', 'update-without-where warning'],
    ["SELECT set_config('session_replication_role', 'replica', false);", 'session-replication-role error'],
    ['ALTER INDEX t_pkey SET TABLESPACE fast;', 'move-storage warning'],
    ['ALTER MATERIALIZED VIEW mv SET TABLESPACE fast;', 'move-storage warning'],
    ['CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();', 'create-trigger warning'],
    ['DROP TEXT SEARCH CONFIGURATION c;', 'drop-object warning'],
  ] as const)
    expect(await found(table, sql), sql).toContain(rule);
  expect(await found(table, "SELECT set_config('session_replication_role', 'origin', false);")).toEqual([]);
});

test("a domain's default counts as the column's own, until it is taken away", async () => {
  const domain = 'CREATE TABLE t (id int); CREATE DOMAIN key AS uuid DEFAULT gen_random_uuid();';
  const add = 'ALTER TABLE t ADD COLUMN x key;';
  expect(await found(domain, add)).toEqual(['add-column-volatile-default warning']);
  expect(await found(`${domain} ALTER DOMAIN key DROP DEFAULT;`, add)).toEqual([]);
  expect(await found(domain, 'ALTER TABLE t ADD COLUMN x key DEFAULT NULL;')).toEqual([]);
});

test('an array of an enum is judged by the values of its elements; a changed type is called by its column', async () => {
  const table = "CREATE TYPE wide AS ENUM ('a', 'b'); CREATE TYPE small AS ENUM ('a');";
  const change = (from: string, to: string) =>
    found(`${table} CREATE TABLE t (x ${from}[]);`, `ALTER TABLE t ALTER x TYPE ${to}[] USING x::text[]::${to}[];`);
  expect(await change('wide', 'small')).toEqual(['change-column-type warning', 'narrow-column-type error']);
  expect(await change('small', 'wide')).toEqual(['change-column-type warning', 'column-type-no-way-back warning']);
  const { findings } = await lintFiles([{ path: '1.sql', text: 'ALTER TABLE t ALTER x TYPE timestamp;' }]);
  expect(findings.map(({ message }) => message)).toContain('x has no time zone.');
});

test('a condition over columns that the live release does not know is judged for a row that has null there', async () => {
  const table =
    'CREATE TABLE u (id int PRIMARY KEY, k int, UNIQUE (id, k)); CREATE TABLE t (id int PRIMARY KEY, a int, b text);';
  const add = (rest: string) => found(table, `ALTER TABLE t ADD COLUMN n int${rest};`);
  for (const rest of [
    ' CHECK (n > 0)',
    ', ADD CHECK (n IS NULL OR a > 3)',
    ', ADD CHECK (NOT (n IS NOT NULL AND a > 3))',
    ', ADD CHECK (n + a > 3)',
    ', ADD FOREIGN KEY (a, n) REFERENCES u (id, k)',
  ])
    expect(await add(rest), rest).not.toContain('stricter-constraint error');
  for (const rest of [
    ' CHECK (n IS NOT NULL)',
    ', ADD CHECK (n IS NOT NULL)',
    ', ADD CHECK (n > 0 AND a > 3)',
    ', ADD CHECK (n IS NULL AND a > 3)',
    ', ADD FOREIGN KEY (a, n) REFERENCES u (id, k) MATCH FULL',
  ])
    expect(await add(rest), rest).toContain('stricter-constraint error');
  const index = (where: string) => add(`; CREATE UNIQUE INDEX ON t (b) WHERE ${where}`);
  expect(await index('n IS NOT NULL')).not.toContain('new-unique error');
  expect(await index('n = 1')).not.toContain('new-unique error');
  expect(await index('n IS NULL')).toContain('new-unique error');
});

test('identity that is always generated is found where it is set and where it is added', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, n int GENERATED BY DEFAULT AS IDENTITY);';
  const alter = (text: string) => found(table, `ALTER TABLE t ALTER ${text};`);
  expect(await alter('n SET GENERATED ALWAYS SET START 10')).toContain('identity-always error');
  expect(await alter('id ADD GENERATED ALWAYS AS IDENTITY')).toContain('identity-always error');
  expect(await alter('id ADD GENERATED BY DEFAULT AS IDENTITY')).not.toContain('identity-always error');
});

test('a WHERE that is always true is none; a default that is set again is no other one', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 5);';
  for (const where of ['true', '1 = 1', 'true OR n = 2']) {
    expect(await found(table, `UPDATE t SET n = 1 WHERE ${where};`), where).toContain('update-without-where warning');
    expect(await found(table, `DELETE FROM t WHERE ${where};`), where).toContain('delete-without-where error');
  }
  expect(await found(table, 'UPDATE t SET n = 1 WHERE true AND id = 2;')).not.toContain('update-without-where warning');
  expect(await found(table, 'ALTER TABLE t ALTER n SET DEFAULT 5;')).toEqual([]);
  expect(await found(table, 'ALTER TABLE t ALTER n SET DEFAULT 6;')).toContain('change-default info');
});

test('a default that is read once is found in a new table, where it is set, and by the type of its column alone', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, at timestamptz, word text);';
  const rule = 'default-frozen-time warning';
  expect(await found("CREATE TABLE u (id int PRIMARY KEY, at timestamptz DEFAULT 'Now');")).toContain(rule);
  expect(await found(`${table} ALTER TABLE t ALTER at SET DEFAULT 'now';`)).toContain(rule);
  expect(await found(table, "ALTER TABLE t ALTER at SET DEFAULT 'yesterday';")).toContain(rule);
  expect(await found("ALTER TABLE t ALTER at SET DEFAULT 'now'::timestamptz;")).toContain(rule);
  for (const sql of [
    "ALTER TABLE t ALTER word SET DEFAULT 'now';",
    'ALTER TABLE t ALTER at SET DEFAULT now();',
    "ALTER TABLE t ALTER at SET DEFAULT '2026-01-01';",
    'ALTER TABLE t ALTER at DROP DEFAULT;',
    "CREATE TEMP TABLE u (at timestamptz DEFAULT 'now');",
  ])
    expect(await found(table, sql), sql).not.toContain(rule);
});

test('placeholders: Flyway fills its own in, of another file it is said once, and the rest is read', async () => {
  const text = "ALTER TABLE ${schema}.t DROP COLUMN n; COMMENT ON TABLE ${schema}.t IS '${flyway:user}';";
  const lint = async (path: string) => {
    const { findings } = await lintFiles([{ path, text }]);
    return findings.map(({ rule, severity }) => `${rule} ${severity}`);
  };
  expect(await lint('V2__less.sql')).toEqual(['drop-column error']);
  expect(await lint('2_less.sql')).toEqual(['syntax error', 'drop-column error']);
});

const live = `
  CREATE TABLE t (id int PRIMARY KEY, a int CHECK (a > 0), b text DEFAULT 'x' NOT NULL, c text, d text);
  CREATE UNIQUE INDEX known ON t (b) WHERE c IS NOT NULL; CREATE UNIQUE INDEX folded ON t (lower(d));
  CREATE UNIQUE INDEX filled ON t (d) WHERE d IS NOT NULL;
  CREATE VIEW v AS SELECT id, a FROM t; CREATE DOMAIN cents AS int CHECK (VALUE >= 0);`;
const breaking = [
  ...['rename-column', 'rename-table', 'new-unique', 'stricter-constraint', 'drop-default', 'drop-primary-key'],
  ...['alter-domain-constraint', 'drop-constraint', 'drop-unique-index'],
].flatMap((rule) => [`${rule} error`, `${rule} warning`]);

test.each([
  'ALTER TABLE t RENAME COLUMN a TO tmp; ALTER TABLE t RENAME COLUMN tmp TO a;',
  'ALTER TABLE t RENAME COLUMN a TO x; ALTER TABLE t RENAME COLUMN x TO y; ALTER TABLE t RENAME COLUMN y TO a;',
  'ALTER TABLE t RENAME TO tmp; ALTER TABLE tmp RENAME TO t;',
  'ALTER VIEW v RENAME TO w; CREATE VIEW v AS SELECT id, a, b FROM t;',
  'CREATE UNIQUE INDEX ON t (b, id) WHERE c IS NOT NULL;',
  'CREATE UNIQUE INDEX CONCURRENTLY again ON t (b) WHERE c IS NOT NULL; DROP INDEX CONCURRENTLY known;',
  'DROP INDEX known; CREATE UNIQUE INDEX again ON t (b) WHERE c IS NOT NULL;',
  'DROP INDEX folded; CREATE UNIQUE INDEX folded_2 ON t (lower(d));',
  'DROP INDEX filled; CREATE UNIQUE INDEX filled ON t (d);',
  'ALTER TABLE t ADD CHECK (a >= 0);',
  'ALTER TABLE t DROP CONSTRAINT t_a_check; ALTER TABLE t ADD CHECK (a > 0 AND a > -1);',
  'ALTER TABLE t ALTER b DROP DEFAULT, ALTER b DROP NOT NULL;',
  'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id);',
  'ALTER DOMAIN cents ADD CHECK (VALUE >= -10);',
])('%s takes what the live release writes', async (text) => {
  expect((await found(live, text)).filter((one) => breaking.includes(one) && one !== 'drop-default warning')).toEqual(
    [],
  );
});

test.each([
  ['ALTER TABLE t RENAME COLUMN a TO tmp; ALTER TABLE t ADD COLUMN a int;', 'rename-column error'],
  ['ALTER TABLE t RENAME TO tmp; CREATE TABLE t (id int PRIMARY KEY);', 'rename-table error'],
  ['ALTER VIEW v RENAME TO w; CREATE VIEW v AS SELECT id FROM t;', 'rename-table error'],
  ['ALTER TABLE t ADD COLUMN n int UNIQUE DEFAULT 1;', 'new-unique error'],
  ['CREATE UNIQUE INDEX ON t (b) WHERE id > 0;', 'new-unique error'],
  ['ALTER TABLE t ADD CHECK (a > 1);', 'stricter-constraint error'],
  ['ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id, b);', 'drop-primary-key error'],
  ['ALTER DOMAIN cents ADD CHECK (VALUE >= 10);', 'alter-domain-constraint error'],
  ['DROP INDEX known;', 'drop-unique-index warning'],
  ['DROP INDEX known; CREATE UNIQUE INDEX known ON t (b, id) WHERE c IS NOT NULL;', 'drop-unique-index warning'],
  ['DROP INDEX known; CREATE UNIQUE INDEX known ON t (b) WHERE c IS NOT NULL AND id > 0;', 'drop-unique-index warning'],
])('%s does not', async (text, finding) => {
  expect(await found(live, text)).toContain(finding);
});

test.each([
  ['ALTER TABLE t ADD CONSTRAINT given NOT NULL k;', ['set-not-null-scan warning', 'new-not-null error']],
  ['ALTER TABLE t ADD NOT NULL k NOT VALID;', ['new-not-null error']],
  ['ALTER TABLE t ADD COLUMN n int; ALTER TABLE t ADD CONSTRAINT given NOT NULL n;', ['add-required-column error']],
  ['ALTER TABLE t ADD CONSTRAINT given CHECK (k > 0) NOT ENFORCED;', []],
])('%s is judged as what it is on 18, and refused for an older server', async (text, wanted) => {
  const files = [
    { path: '0.sql', text: 'CREATE TABLE t (id int PRIMARY KEY, k int);', applied: true },
    { path: '1.sql', text, applied: false },
  ];
  const of = async (postgres: 17 | 18) =>
    (await lintFiles(files, { postgres })).findings.map(({ rule, severity }) => `${rule} ${severity}`);
  expect(await of(18)).toEqual(expect.arrayContaining(wanted));
  expect((await of(18)).filter((one) => /stricter|needs-newer/.test(one))).toEqual([]);
  expect(await of(17)).toContain('needs-newer-postgres error');
});

test('what a DO block executes is judged where its text is constant, and shown nowhere but at its EXECUTE', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, v text);';
  const block = (body: string) => `DO $$ DECLARE n text := 't'; BEGIN ${body} END $$;`;
  for (const body of [
    "EXECUTE 'ALTER TABLE t DROP COLUMN v';",
    "EXECUTE format('ALTER TABLE %I DROP COLUMN %I', 't', 'v');",
    "IF true THEN EXECUTE 'ALTER TABLE ' || quote_ident('t') || ' DROP COLUMN v'; END IF;",
    'DO $i$ BEGIN DO $j$ BEGIN ALTER TABLE t DROP COLUMN v; END $j$; END $i$;',
    "DO 'BEGIN ALTER TABLE t DROP COLUMN v; END';",
  ])
    expect(await found(table, block(body)), body).toEqual(['drop-column error']);
  for (const body of [
    "EXECUTE 'DROP TABLE ' || n;",
    "EXECUTE format('DROP TABLE %2$I', 'a', 't');",
    "EXECUTE 'no SQL';",
    "EXECUTE 'DO ''BEGIN DROP TABLE t; END''';",
  ])
    expect(await found(table, block(body)), body).toEqual(['dynamic-sql info']);
  const { findings } = await lintFiles([{ path: '1.sql', text: block("EXECUTE 'CREATE INDEX ON t (v)';") }]);
  expect(findings.filter(({ rule }) => rule === 'create-index-blocking')).toMatchObject([
    { start: { column: 36 }, end: { column: 43 } },
  ]);
  expect(findings.map(({ fix }) => fix)).toEqual(findings.map(() => undefined));
});

test('a function that comes back is another by what calls find and get, not by a length that PostgreSQL forgets', async () => {
  const made = (rest: string) => `CREATE FUNCTION f${rest} LANGUAGE sql SET search_path = public AS 'SELECT 1.0';`;
  const again = async (before: string, after: string) => found(made(before), `DROP FUNCTION f; ${made(after)}`);
  expect(await again('(varchar) RETURNS numeric', '(varchar(9)) RETURNS decimal(10, 2)')).toEqual([]);
  expect(await again('(int) RETURNS numeric', '(int, OUT numeric)')).toEqual([]);
  expect(await again('(int) RETURNS numeric', '(int, OUT numeric, OUT int)')).toEqual([
    'change-function-signature error',
  ]);
  expect(await again('(int) RETURNS numeric', '(bigint) RETURNS numeric')).toEqual(['change-function-signature error']);
});

test('MERGE that deletes is told like DELETE', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY);';
  const merge = (action: string) =>
    `MERGE INTO t USING (VALUES (1)) AS v (id) ON t.id = v.id WHEN MATCHED THEN ${action};`;
  expect(await found(table, merge('DELETE'))).toEqual(['data-not-reversible info']);
  expect(await found(table, merge('DO NOTHING'))).toEqual([]);
  expect(await found(`${table} ${merge('DELETE')}`)).not.toContain('data-not-reversible info');
});

test('a byte order mark before the marker of the way up leaves it the way up', async () => {
  const text = '\uFEFF-- +goose Up\r\nDROP TABLE t;\r\n-- +goose Down\r\nDROP TABLE u;\r\n';
  const { findings } = await lintFiles([{ path: '1.sql', text: Buffer.from(text) }]);
  expect(findings.filter(({ rule }) => rule === 'drop-table').map(({ start }) => start.line)).toEqual([2]);
});

test("a folder's files are read whatever the case of their ending, refinery's and Flyway's in the order in which they run", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lint-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const name of ['R__views.sql', 'V1__a.sql', 'U2__b.sql', 'V10__c.SQL', 'V3__d.sql', 'V3__d.down.SQL'])
    await writeFile(path.join(folder, name), 'SELECT 1;');
  expect((await sqlFiles([folder])).map((file) => path.basename(file.path))).toEqual([
    'V1__a.sql',
    'U2__b.sql',
    'V3__d.sql',
    'V10__c.SQL',
    'R__views.sql',
  ]);
});

test('a note between slash and star is one too', async () => {
  const drop = 'DROP TABLE t;';
  expect(await found('', `/* verdigris: allow drop-table because it is empty */\n${drop}`)).toEqual([]);
  expect(await found('', `/* verdigris: allow drop-table */\n${drop}`)).toContain('suppression-without-reason warning');
  expect(await found('', `/* verdigris: as superuser because of the extension */\nSELECT 1;`)).toEqual([
    'as-superuser warning',
  ]);
});
