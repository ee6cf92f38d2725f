import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lintFiles } from '../../../../src/migrations/lint/lint.ts';
import type { LintFinding, LintReport } from '../../../../src/migrations/lint/finding.ts';
import type { LintSettings } from '../../../../src/migrations/lint/config.ts';
import { excerptAt } from '../../../../src/migrations/lint/output/text.ts';
import { safe } from '../corpus/safe.ts';
import { unsafe } from '../corpus/unsafe.ts';

async function lint(text: string | Uint8Array, settings: LintSettings = {}): Promise<LintReport> {
  return lintFiles([{ path: 'm.sql', text }], settings);
}

function places({ findings }: LintReport): string[] {
  return findings.map(({ rule, start, end }) => `${rule} ${start.line}:${start.column}-${end.line}:${end.column}`);
}

test('columns count characters, not bytes, after text of several bytes a character', async () => {
  const report = await lint(
    '-- Überschrift 🙂\nSELECT \'größe 🙂\'; ALTER TABLE t ADD COLUMN "größe" int, DROP COLUMN "höhe";',
  );
  expect(places(report)).toEqual(['drop-column 2:57-2:75']);
  expect(report.findings[0]?.start.byte).toBe(
    Buffer.byteLength('-- Überschrift 🙂\nSELECT \'größe 🙂\'; ALTER TABLE t ADD COLUMN "größe" int, '),
  );
});

test('the caret stands under the words, wide characters and tabs included', async () => {
  const { findings } = await lint("\tSELECT '表🙂é'; DROP TABLE x;");
  expect(excerptAt(findings[0] as LintFinding)).toEqual([
    "1 | \tSELECT '表🙂é'; DROP TABLE x;",
    `  | \t${' '.repeat(16)}^^^^^^^^^^^^`,
  ]);
});

test.each([
  ['ALTER TABEL t;', 'syntax 1:7-1:12'],
  ["SELECT 'é🙂' FROM FROM;", 'syntax 1:18-1:22'],
  ['SELECT 1;\n\nSELECT (1;\nSELECT 2;', 'syntax 3:10-3:11'],
  ["SELECT 'open", 'syntax 1:8-1:9'],
  ['SELECT /* open', 'syntax 1:8-1:9'],
  ['SELECT $x$ open', 'syntax 1:8-1:11'],
  ['SELECT', 'nothing'],
  ['CREATE TABLE t (', 'syntax 1:17-1:17'],
])('says where %j does not parse', async (sql, place) => {
  expect(places(await lint(sql))).toEqual(place === 'nothing' ? [] : [place]);
});

test('every fault of a file is said, and the rest is linted', async () => {
  expect(places(await lint('SELEC 1;\nDROP TABLE a;\n\\c other\nSELECT 2;\nALTR x;\nDROP TABLE b;'))).toEqual([
    'syntax 1:1-1:6',
    'drop-table 2:1-2:13',
    'psql-command 3:1-3:3',
    'syntax 5:1-5:5',
    'many-exclusive-locks 6:1-6:13',
    'drop-table 6:1-6:13',
  ]);
});

test("data of COPY FROM stdin is psql's, and what follows is linted", async () => {
  const report = await lint('COPY t FROM stdin;\n1\tDROP TABLE x;\n\\.\nDROP TABLE y;');
  expect(report.findings.map(({ rule, start }) => [rule, start.line])).toEqual([
    ['psql-command', 2],
    ['drop-table', 4],
  ]);
});

test.each([
  ['Latin-1', Buffer.from("SELECT 'é';", 'latin1'), 8],
  ['UTF-16', Buffer.from('\ufeffSELECT 1;', 'utf16le'), 0],
  ['a byte order mark', Buffer.from('\ufeffSELECT 1;'), 0],
  ['a cut sequence at the end', Buffer.concat([Buffer.from('SELECT 1 -- '), Buffer.from([0xc3])]), 12],
  [
    'a sequence broken in the middle',
    Buffer.concat([Buffer.from("SELECT '"), Buffer.from([0xe2, 0x82]), Buffer.from("';")]),
    8,
  ],
  ['NUL', Buffer.from('SELECT 1;\0DROP TABLE t;'), 9],
])('an encoding that is not UTF-8: %s', async (_, bytes, at) => {
  const { findings } = await lint(bytes);
  expect(findings.map(({ rule, start }) => [rule, start.byte])).toEqual([['encoding', at]]);
});

test('statements in DO blocks have their own places', async () => {
  expect(
    places(await lint('DO $é$\nBEGIN\n  -- ü\n  ALTER TABLE t DROP COLUMN a;\n  EXECUTE $$DROP TABLE x$$;\nEND $é$;')),
  ).toEqual(['drop-column 4:17-4:30', 'many-exclusive-locks 5:3-5:10', 'drop-table 5:3-5:10']);
});

test('bodies of functions are parsed', async () => {
  expect(places(await lint('CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT é FROM FROM $$;'))).toEqual([
    'syntax 1:66-1:67',
  ]);
  expect(places(await lint('CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETRN 1; END $$;'))).toEqual([
    'syntax 1:62-1:67',
  ]);
});

test('a suppression with a reason takes the finding away and is reported', async () => {
  const report = await lint(
    '-- verdigris: allow drop-table, drop-cascade because nobody reads it since 41\nDROP TABLE a CASCADE;\nDROP TABLE b;',
    { transaction: 'none' },
  );
  expect(report.findings.map(({ rule, start }) => [rule, start.line])).toEqual([['drop-table', 3]]);
  expect(report.suppressed.map(({ finding, reason }) => [finding.rule, reason])).toEqual([
    ['drop-table', 'nobody reads it since 41'],
    ['drop-cascade', 'nobody reads it since 41'],
  ]);
});

test.each([
  ['-- verdigris: allow drop-table\nDROP TABLE a;', ['suppression-without-reason', 'drop-table']],
  ['-- verdigris: allow drop-table because\nDROP TABLE a;', ['suppression-without-reason', 'drop-table']],
  ['-- verdigris: allow drop-tabel because x\nDROP TABLE a;', ['suppression-unused', 'drop-table']],
  ['-- verdigris: allow cluster because x\nSELECT 1;', ['suppression-unused']],
  ['-- verdigris: allow-file drop-table because x\nDROP TABLE a;\nSELECT 1;\nDROP TABLE a;', []],
  ['SELECT 1;\n-- verdigris: allow-file drop-table because x\nDROP TABLE a;', ['suppression-unused', 'drop-table']],
  ["SELECT '-- verdigris: allow drop-table because x';\nDROP TABLE a;", ['drop-table']],
  ['-- verdigris: allow prefer-text because it is off anyway\nSELECT 1;', []],
])('suppressions at fault: %j', async (sql, found) => {
  expect((await lint(sql, { transaction: 'none' })).findings.map(({ rule }) => rule)).toEqual(found);
});

test('garbage never crashes, and every finding has its place in the text', async () => {
  const pieces = fc.constantFrom(
    ...unsafe.map(([sql]) => sql),
    ...safe,
    '$$',
    "'",
    '"',
    '/*',
    '\\d',
    ';',
    '(',
    '🙂',
    '\n',
    'é',
    'DO $$ BEGIN',
    'END $$',
    '--',
    '\t',
    'COPY t FROM stdin;\n',
    '-- verdigris: allow',
  );
  const mangled = fc
    .tuple(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 8 }), fc.nat(200))
    .map(([parts, cut]) => parts.join(' ').slice(cut));
  await fc.assert(
    fc.asyncProperty(mangled, async (sql) => {
      const lines = sql.split('\n');
      for (const { start, end, excerpt: line } of (await lint(sql)).findings) {
        expect(start.byte).toBeLessThanOrEqual(Buffer.byteLength(sql));
        expect(end.byte).toBeGreaterThanOrEqual(start.byte);
        expect(start.line).toBeLessThanOrEqual(lines.length);
        expect([...line].length + 1 >= start.column || line.length >= 300).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('random bytes never crash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await lint(bytes);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['parentheses', `SELECT ${'('.repeat(100_000)}`],
  ['operators', `SELECT 1${'+1'.repeat(50_000)}`],
  ['a DO block', `DO $$ BEGIN ${'IF true THEN '.repeat(5_000)} END $$`],
])('absurd nesting of %s is a finding, and the next file is linted', async (_, sql) => {
  const { findings } = await lintFiles([
    { path: 'deep.sql', text: sql },
    { path: 'next.sql', text: 'DROP TABLE a;' },
  ]);
  expect(findings.map(({ rule, path }) => `${path} ${rule}`)).toEqual(['deep.sql syntax', 'next.sql drop-table']);
});
