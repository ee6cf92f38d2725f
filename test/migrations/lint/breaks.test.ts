import { expect, test } from 'vitest';
import type { LintReport } from '../../../src/migrations/lint/finding.ts';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';

/** The last of the files is the release at hand. */
function lint(...texts: readonly string[]): Promise<LintReport> {
  return lintFiles(
    texts.map((text, index) => ({ path: `${index}.sql`, text, applied: index < texts.length - 1 })),
    { target: 'candidate' },
  );
}

async function said(...texts: readonly string[]): Promise<string[]> {
  const { findings } = await lint(...texts);
  return findings.filter(({ severity }) => severity !== 'info').map(({ rule, message }) => `${rule}: ${message}`);
}

const mood = `CREATE TYPE "S" AS ENUM ('a', 'b', 'c'); CREATE TABLE t (id bigint PRIMARY KEY, s "S" NOT NULL);`;
const swap = (values: string) =>
  `CREATE TYPE "S_new" AS ENUM (${values});
   ALTER TABLE t ALTER COLUMN s TYPE "S_new" USING (s::text::"S_new");
   ALTER TYPE "S" RENAME TO "S_old"; ALTER TYPE "S_new" RENAME TO "S"; DROP TYPE "S_old";`;

test('an enum whose name comes back is judged by its values, not by the names on the way', async () => {
  expect(await said(mood, swap("'a', 'b'"))).toEqual([
    "enum-value-removed: The type S takes less than before: 'c' of the live release is gone.",
  ]);
  expect(await said(mood, `ALTER TYPE "S" RENAME VALUE 'c' TO 'd';`, swap("'a', 'b', 'd'"))).toEqual([]);
  const again = (values: string) =>
    `ALTER TABLE t ALTER COLUMN s TYPE text; DROP TYPE "S"; CREATE TYPE "S" AS ENUM (${values});`;
  const ofTypes = async (values: string) =>
    (await said(mood, again(values))).filter((line) => !line.startsWith('column-type-no-way-back'));
  expect(await ofTypes("'a', 'b', 'c'")).toEqual([]);
  expect(await ofTypes("'a'")).toEqual([
    "enum-value-removed: The type S takes less than before: 'b', 'c' of the live release is gone.",
  ]);
  expect(await said('SELECT 1;', swap("'a'"))).toContain(
    'enum-value-removed: The type S is another one from now on; whether it takes every value that the live release writes is not known here.',
  );
});

test('a type that goes under another name is still missed by the live release', async () => {
  expect(await said(mood, 'ALTER TYPE "S" RENAME TO "T";')).toEqual([
    'rename-object: The live release knows it as S, not as T.',
  ]);
  expect(await said(mood, 'ALTER TABLE t DROP COLUMN s;', 'DROP TYPE "S";')).toEqual([
    'drop-type: The live release may use the type S.',
  ]);
});

test('a column moved to an enum with fewer values is refused by the value that is lost', async () => {
  const other = `CREATE TYPE small AS ENUM ('a'); ALTER TABLE t ALTER COLUMN s TYPE small USING s::text::small;`;
  expect((await said(mood, other)).map((line) => line.split(':')[0])).toContain('narrow-column-type');
});

test('a contract note allows what it names, in any file of the release, and nothing else', async () => {
  const note = '-- verdigris: contract shop.customer.name last-used-by 41\n';
  const drop = (column: string) => `ALTER TABLE shop.customer DROP COLUMN ${column};`;
  const { findings, suppressed } = await lint(`${note}${drop('name')}`);
  expect(findings).toEqual([]);
  expect(suppressed.map(({ reason }) => reason)).toEqual(['release 41 was the last to use it']);
  expect((await lint(`${note}${drop('other')}`)).findings.map(({ rule }) => rule)).toEqual(['drop-column']);
  const both = await lint(`${note}-- verdigris: allow drop-column because nobody reads it\n${drop('name')}`);
  expect(both.findings).toEqual([]);
  const release = [
    { path: '1.sql', text: drop('name'), applied: false },
    { path: '2.sql', text: note, applied: false },
  ];
  expect((await lintFiles(release)).findings).toEqual([]);
});

test.each([
  ['public.t', 'DROP TABLE t;'],
  ['public.v', 'DROP VIEW v;'],
  ['public.f(integer, text)', 'DROP FUNCTION f(int, text);'],
  ['public.mood', 'DROP TYPE mood;'],
  ['public.t.b', 'ALTER TABLE t ALTER COLUMN b SET NOT NULL;'],
  ['public.t.once', 'ALTER TABLE t ADD CONSTRAINT once UNIQUE (b);'],
  ['public.t.t_b_check', "ALTER TABLE t ADD CHECK (b <> '') NOT VALID;"],
  ['public.once', 'CREATE UNIQUE INDEX CONCURRENTLY once ON t (b);'],
])('the note for %s is the one for %s', async (object, sql) => {
  const errors = (report: LintReport) => report.findings.filter(({ severity }) => severity === 'error');
  const before = errors(await lint('CREATE TABLE t (id int PRIMARY KEY, b text);', sql));
  expect(before).not.toEqual([]);
  const table = object === 'public.once' ? 'public.t.once' : object;
  const note = `-- verdigris: contract ${table} unused because nobody has it\n`;
  expect(errors(await lint('CREATE TABLE t (id int PRIMARY KEY, b text);', note + sql))).toEqual([]);
});

test('rules that the live release lives with already are no new ones, whatever their names', async () => {
  const table =
    "CREATE TABLE t (id int PRIMARY KEY, a int, s text, CONSTRAINT s_in CHECK (s IN ('x', 'y')), CONSTRAINT " +
    'one UNIQUE (a), CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id));';
  const change = async (drop: string, add: string) =>
    (await lint(table, `ALTER TABLE t DROP CONSTRAINT ${drop}; ALTER TABLE t ADD CONSTRAINT next ${add};`)).findings
      .filter(({ severity }) => severity === 'error')
      .map(({ rule }) => rule);
  expect(await change('s_in', "CHECK (s IN ('x', 'y', 'z')) NOT VALID")).toEqual([]);
  expect(await change('s_in', "CHECK (s = ANY (ARRAY['y'::text, 'x'::text])) NOT VALID")).toEqual([]);
  expect(await change('s_in', "CHECK (s IN ('x')) NOT VALID")).toEqual(['stricter-constraint']);
  expect(await change('one', 'UNIQUE (a, s)')).toEqual([]);
  expect(await change('one', 'UNIQUE (s)')).toEqual(['new-unique']);
  expect(await change('fk', 'FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE NOT VALID')).toEqual([]);
  expect(await change('fk', 'FOREIGN KEY (a) REFERENCES w (id) NOT VALID')).toEqual(['stricter-constraint']);
});

test("a serial's sequence is asked for until it is widened too; an identity takes its own along", async () => {
  const widen = 'ALTER TABLE t ALTER COLUMN id TYPE bigint;';
  const small = async (table: string, sql: string) =>
    (await lint(table, sql)).findings.filter(({ rule }) => rule === 'sequence-stays-small').map(({ fix }) => fix);
  const serial = 'CREATE TABLE t (id serial PRIMARY KEY);';
  expect(await small(serial, widen)).toEqual(['ALTER SEQUENCE t_id_seq AS bigint;']);
  expect(await small(serial, `${widen} ALTER SEQUENCE t_id_seq AS bigint;`)).toEqual([]);
  expect(await small(`${serial} ALTER SEQUENCE t_id_seq AS bigint;`, widen)).toEqual([]);
  expect(await small('CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);', widen)).toEqual([]);
  const own = `CREATE SEQUENCE n AS integer; CREATE TABLE t (id int DEFAULT nextval('n'::regclass));`;
  expect(await small(own, widen)).toEqual(['ALTER SEQUENCE n AS bigint;']);
});

test('a note that migrate cannot read is an error at its line', async () => {
  const { findings } = await lint('SELECT 1;\n  -- verdigris: contract shop.customer\nSELECT 2;');
  expect(findings.map(({ rule, start }) => [rule, start.line, start.column])).toEqual([['malformed-note', 2, 3]]);
});

test('the fix of a time zone change is taken: with UTC set before it, nothing is said', async () => {
  const table = 'CREATE TABLE t (id int, at timestamp);';
  const change = 'ALTER TABLE t ALTER COLUMN at TYPE timestamptz;';
  const rules = async (sql: string) => (await lint(table, sql)).findings.map(({ rule }) => rule);
  expect(await rules(change)).toContain('change-column-type');
  expect(await rules(`SET LOCAL TimeZone = 'UTC'; ${change}`)).not.toContain('change-column-type');
});
