import { expect, test } from 'vitest';
import { exceeds, type LintReport } from '../../../src/migrations/lint/finding.ts';
import type { LintSettings } from '../../../src/migrations/lint/config.ts';
import { parseLintConfig } from '../../../src/migrations/lint/config-schema.ts';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { ruleIds } from '../../../src/migrations/lint/rules/index.ts';
import { githubReport } from '../../../src/migrations/lint/output/github.ts';
import { jsonReport } from '../../../src/migrations/lint/output/json.ts';
import { sarifReport } from '../../../src/migrations/lint/output/sarif.ts';
import { textReport } from '../../../src/migrations/lint/output/text.ts';

const sql =
  '-- verdigris: allow drop-view because nobody reads it\nDROP VIEW v;\nALTER TABLE t ALTER COLUMN a\n  SET NOT NULL;\nSELECT 1;';

function lint(text = sql, settings: LintSettings = {}): Promise<LintReport> {
  return lintFiles([{ path: 'db/V1, odd:name.sql', text }], settings);
}

const reason =
  'PostgreSQL reads every row to prove that there is no null, and holds ACCESS EXCLUSIVE while it reads. ' +
  'A validated CHECK (column IS NOT NULL) is proof enough, and validating one blocks nobody.';

test('text has the place, the caret, the lock, the reason once, and the safe way', async () => {
  expect(textReport(await lint(sql, { rules: { 'new-not-null': 'off' } }))).toBe(`db/V1, odd:name.sql

  warning set-not-null-scan  Every row of t is read to prove that a has no null.
  db/V1, odd:name.sql:3:15
    3 | ALTER TABLE t ALTER COLUMN a
      |               ^^^^^^^^^^^^^^
  ACCESS EXCLUSIVE on public.t blocks reads and writes; reads every row; matters on a live database
  ${reason}
  Instead:
    ALTER TABLE t ADD CONSTRAINT t_a_not_null CHECK (a IS NOT NULL) NOT VALID;
    -- in a later migration:
    ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null;
    ALTER TABLE t ALTER COLUMN a SET NOT NULL;
    ALTER TABLE t DROP CONSTRAINT t_a_not_null;
  verdigris explain set-not-null-scan

db/V1, odd:name.sql:2: drop-view is allowed: nobody reads it

0 errors, 1 warning, 0 notes in 1 file, 3 statements; 1 allowed.
1 of them matter on a live database only: \`--target candidate\` where Verdigris runs the migrations.

`);
});

test('colour comes through the painter only', async () => {
  const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const text = textReport(await lint(), {
    error: mark('e'),
    warning: mark('w'),
    info: mark('i'),
    dim: mark('d'),
    bold: mark('b'),
    prose: mark('p'),
  });
  expect(text).toContain('<p>  <w>warning</w> <b>set-not-null-scan</b>');
  // What is to be copied is not broken.
  expect(text).not.toMatch(/<p>[^<]*ALTER TABLE/);
  expect(textReport(await lint())).not.toContain('\u001b');
});

test('JSON is the report', async () => {
  const report = await lint();
  expect(JSON.parse(jsonReport(report))).toEqual({ type: 'lint', ...JSON.parse(JSON.stringify(report)) });
});

test('GitHub annotations are one line each, and nothing in a path or message can begin another', async () => {
  const lines = githubReport(await lint())
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(2);
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['::error', '::warning']);
  const [place, message] = (lines[1] ?? '').split('::Every row of t ');
  expect(place).toBe('::warning file=db/V1%2C odd%3Aname.sql,line=3,endLine=4,col=15,title=set-not-null-scan');
  expect(message).toMatch(
    /^is read to prove that a has no null\.%0AACCESS EXCLUSIVE on public\.t [^\n]*%0AInstead:%0A/,
  );
});

test('SARIF 2.1.0 has the rules, places in code points, and suppressions with their reasons', async () => {
  const sarif = JSON.parse(sarifReport(await lint())) as Sarif;
  expect([sarif.version, sarif.runs.length, sarif.runs[0]?.columnKind]).toEqual(['2.1.0', 1, 'unicodeCodePoints']);
  const [run] = sarif.runs;
  for (const result of run?.results ?? []) {
    expect(run?.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
    expect(['error', 'warning', 'note']).toContain(result.level);
    const { artifactLocation, region } = result.locations[0]?.physicalLocation ?? {};
    expect(artifactLocation?.uri).toBe('db/V1%2C%20odd%3Aname.sql');
    expect([region?.startLine, region?.startColumn].every((value) => (value ?? 0) >= 1)).toBe(true);
  }
  expect(
    run?.results.flatMap(({ ruleId, suppressions }) =>
      (suppressions ?? []).map((one) => [ruleId, one.kind, one.justification]),
    ),
  ).toEqual([['drop-view', 'inSource', 'nobody reads it']]);
});

interface Sarif {
  version: string;
  runs: {
    columnKind: string;
    tool: { driver: { rules: { id: string }[] } };
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      suppressions?: { kind: string; justification: string }[];
      locations: {
        physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number; startColumn: number } };
      }[];
    }[];
  }[];
}

test.each([
  ['DROP TABLE a;', ['error', 'warning', 'info']],
  ['CREATE INDEX ON a (b);', ['warning', 'info']],
  ['CREATE TABLE a (id serial PRIMARY KEY);', ['info']],
  ['SELECT 1;', []],
])('%s exceeds %j', async (text, levels) => {
  const report = await lint(text);
  expect((['error', 'warning', 'info', 'never'] as const).filter((level) => exceeds(report, level))).toEqual(levels);
});

test('settings change severities, turn rules on and off, and leave files out', async () => {
  const rulesOf = async (settings: LintSettings, text = 'CREATE INDEX ON a (b);') =>
    (await lint(text, settings)).findings.map(({ rule, severity }) => `${severity} ${rule}`);
  expect(await rulesOf({ rules: { 'create-index-blocking': 'error' } })).toEqual(['error create-index-blocking']);
  expect(await rulesOf({ rules: { 'create-index-blocking': 'off' } })).toEqual([]);
  expect(await rulesOf({ target: 'candidate' })).toEqual(['info create-index-blocking']);
  expect(await rulesOf({ ignore: ['db/*'] })).toEqual([]);
  expect(
    await rulesOf(
      { timeouts: 'file' },
      "SET lock_timeout = '5s'; SET statement_timeout = '1h'; ALTER TABLE t ADD COLUMN n int;",
    ),
  ).toEqual([]);
  expect(await rulesOf({ timeouts: 'file' }, 'SET lock_timeout = 0; ALTER TABLE t ADD COLUMN n int;')).toEqual([
    'warning missing-lock-timeout',
    'info missing-statement-timeout',
  ]);
  expect(await rulesOf({ postgres: 15 }, 'ALTER TABLE t ADD COLUMN n int GENERATED ALWAYS AS (1) VIRTUAL;')).toEqual([
    'error needs-newer-postgres',
  ]);
  expect(await rulesOf({ postgres: 18 }, 'ALTER TABLE t ADD COLUMN n int GENERATED ALWAYS AS (1) VIRTUAL;')).toEqual(
    [],
  );
});

test('settings that are off are said', () => {
  const said = (settings: unknown, word: string) =>
    expect(() => parseLintConfig(settings, ruleIds)).toThrow(
      expect.objectContaining({ code: 'usage', id: 'lint-config', seen: expect.stringContaining(word) as string }),
    );
  said({ rules: { 'no-such-rule': 'off' } }, 'no-such-rule');
  said({ postgres: 9 }, 'postgres');
});

test('what a release makes is new to its later files; what is applied is not', async () => {
  const files = [
    { path: '1.sql', text: 'CREATE TABLE a (id bigint PRIMARY KEY, x varchar(10));' },
    { path: '2.sql', text: 'CREATE INDEX ON a (x);\nALTER TABLE a ALTER COLUMN x TYPE varchar(20);' },
  ];
  const found = async (inputs: Parameters<typeof lintFiles>[0]) =>
    (await lintFiles(inputs)).findings.map(({ path, rule }) => `${path} ${rule}`);
  expect(await found(files)).toEqual(['2.sql create-index-blocking', '2.sql column-type-no-way-back']);
  expect(await found(files.map((file, index) => ({ ...file, applied: index === 0 })))).toEqual([
    '2.sql create-index-blocking',
    '2.sql column-type-no-way-back',
  ]);
  expect(await found([{ path: '0.sql', text: 'SELECT 1;', applied: true }, ...files])).toEqual([]);
  expect(await found(files.map((file) => ({ ...file, applied: false })))).toEqual([]);
});

test('a name with characters of a URI decodes to itself, and a path in the working folder is relative', async () => {
  for (const path of ['a#1?.sql', `${process.cwd()}/a#1?.sql`]) {
    const sarif = JSON.parse(sarifReport(await lintFiles([{ path, text: 'DROP TABLE t;' }]))) as Sarif;
    expect(sarif.runs[0]?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe('a%231%3F.sql');
  }
});

test('BEGIN and COMMIT are one finding; a sequence may become bigint, and not smaller', async () => {
  const rulesOfText = async (text: string) =>
    (await lintFiles([{ path: 'a.sql', text }])).findings.map((one) => one.rule);
  expect(await rulesOfText('BEGIN; SELECT 1; COMMIT;')).toEqual(['transaction-control']);
  expect(await rulesOfText('ALTER SEQUENCE s AS bigint;')).toEqual([]);
  expect(await rulesOfText('ALTER SEQUENCE IF EXISTS s AS bigint NO MAXVALUE;')).toEqual([]);
  expect(await rulesOfText('ALTER SEQUENCE s AS bigint MAXVALUE 9223372036854775807;')).toEqual([]);
  expect(await rulesOfText('ALTER SEQUENCE s MAXVALUE 100;')).toEqual(['alter-sequence']);
  expect(await rulesOfText('ALTER SEQUENCE s AS integer;')).toEqual(['alter-sequence']);
});
