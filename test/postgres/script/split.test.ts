import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textBlocks, type Block } from '../../../src/postgres/script/blocks.ts';
import { splitScript } from '../../../src/postgres/script/split.ts';

interface Seen {
  kind: string;
  text: string;
  line: number;
  offset: number;
  data?: string;
}

async function split(blocks: AsyncIterable<Block>): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { kind, text, line, offset, ...rest } of splitScript(blocks)) {
    if (!('data' in rest)) seen.push({ kind, text, line, offset });
    else {
      const pieces: Buffer[] = [];
      for await (const piece of rest.data) pieces.push(piece);
      seen.push({ kind, text, line, offset, data: Buffer.concat(pieces).toString('utf8') });
    }
  }
  return seen;
}

/** The smallest blocks that there can be: one a line. */
async function* lineBlocks(text: string): AsyncGenerator<Block> {
  let offset = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const bytes = Buffer.from(line, 'utf8');
    yield { bytes, offset };
    offset += bytes.length;
  }
}

async function texts(script: string): Promise<string[]> {
  const whole = await split(textBlocks(script));
  expect(await split(lineBlocks(script))).toEqual(whole);
  return whole.map(({ text }) => text);
}

const same: readonly (readonly [string, string])[] = [
  ['a string', "SELECT 'a;''b;\n' || 'it\\'"],
  ['an escape string', "SELECT E'a\\';\\\\', e'b'';', E'\\\n;'"],
  ['an escape string continued on the next line', "SELECT E'a'\n  'b\\';'"],
  ['national, bit and Unicode strings', "SELECT N'a;\\', B'01', U&'\\0041;'"],
  ['a quoted name', 'SELECT 1 AS "a;""b\' $$ -- ;"'],
  ['dollar quotes', 'DO $$ BEGIN PERFORM 1; END $$'],
  ['dollar quotes within dollar quotes', "DO $a$ SELECT $b$ ;'$$ $b$; $a$"],
  ['parameters and names with a dollar sign', 'SELECT $1, a$b$c FROM t$; SELECT $2'.split(';')[0] ?? ''],
  ['comments', "SELECT 1 -- ; ' \"\n /* ; /* $$ */ ' */ + 2"],
  ['operators that look like comments', 'SELECT 1 - 2 / 3 * 4, a->>b, @-c'],
  ['a rule with several commands', 'CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)'],
  [
    'an atomic body',
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 ELSE 2 END; SELECT 2; END',
  ],
  [
    'an atomic body of a procedure that is replaced',
    'CREATE OR REPLACE PROCEDURE p()\nLANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (1); END',
  ],
  ['characters of several bytes', "SELECT 'à;€😀' AS übergröße"],
];

test.for(same)('keeps %s in one statement', async ([, statement]) => {
  expect(await texts(`${statement};\n;;-- nothing;\n${statement} ;`)).toEqual([statement, statement]);
});

test('BEGIN and END of a transaction are statements of their own', async () => {
  expect(await texts('BEGIN; INSERT INTO t VALUES (1); END; CREATE TABLE begin (x int); SELECT 1')).toEqual([
    'BEGIN',
    'INSERT INTO t VALUES (1)',
    'END',
    'CREATE TABLE begin (x int)',
    'SELECT 1',
  ]);
});

test('backslashes escape in plain strings once standard_conforming_strings is off, until it is on', async () => {
  expect(
    await texts(
      "SET standard_conforming_strings = off; SELECT 'a\\';'; SET standard_conforming_strings TO on; SELECT '\\'; SELECT 2",
    ),
  ).toEqual([
    'SET standard_conforming_strings = off',
    "SELECT 'a\\';'",
    'SET standard_conforming_strings TO on',
    "SELECT '\\'",
    'SELECT 2',
  ]);
});

test('gives kind, line and byte offset, with the rows of COPY apart', async () => {
  const script =
    '-- é\n\\connect "a b"\nSELECT \'é\';\nCOPY s.t (a) FROM stdin; -- rows\n1;\\\\.\n\\.x\n\\.\nCOPY e ' +
    'FROM STDIN WITH (FORMAT csv);\n\\.\n/* c\n*/ \\echo hi; there\nSELECT\n2';
  const at = (part: string): number => Buffer.from(script, 'utf8').indexOf(part);
  const expected = [
    { kind: 'meta', text: '\\connect "a b"', line: 2, offset: at('\\connect') },
    { kind: 'sql', text: "SELECT 'é'", line: 3, offset: at('SELECT') },
    { kind: 'copy', text: 'COPY s.t (a) FROM stdin', line: 4, offset: at('COPY s'), data: '1;\\\\.\n\\.x\n' },
    { kind: 'copy', text: 'COPY e FROM STDIN WITH (FORMAT csv)', line: 8, offset: at('COPY e'), data: '' },
    { kind: 'meta', text: '\\echo hi; there', line: 11, offset: at('\\echo') },
    { kind: 'sql', text: 'SELECT\n2', line: 12, offset: at('SELECT\n2') },
  ];
  expect(await split(textBlocks(script))).toEqual(expected);
  expect(await split(lineBlocks(script))).toEqual(expected);
});

test('rows that nobody reads to the end are skipped', async () => {
  for (const reads of [0, 1]) {
    const seen: string[] = [];
    for await (const item of splitScript(lineBlocks('COPY t FROM stdin;\n1;\n2;\n3\n\\.\nSELECT 1;\n'))) {
      seen.push(item.text);
      if (item.kind === 'copy' && reads === 1) for await (const piece of item.data) if (piece.length > 0) break;
    }
    expect(seen).toEqual(['COPY t FROM stdin', 'SELECT 1']);
  }
});

const broken: readonly (readonly [string, string, number])[] = [
  ["SELECT 1;\nSELECT\n'a;\n\n", 'script-cut-short', 3],
  ['SELECT 1;\n\n/* a\n/* b */\n', 'script-cut-short', 3],
  ['SELECT 1;\nDO $x$ a $$ b;', 'script-cut-short', 2],
  ['SELECT 1;\nCOPY t FROM stdin;\n1\n2\n', 'script-cut-short', 2],
  ['COPY t FROM stdin; SELECT 1;\n\\.\n', 'script-after-copy', 1],
  ['SELECT 1\n  \\gx\n', 'script-meta-in-statement', 2],
];

test.for(broken)('%j is refused', async ([script, id, line]) => {
  await expect(split(textBlocks(script))).rejects.toMatchObject({ id, facts: { line } });
  await expect(split(lineBlocks(script))).rejects.toMatchObject({ id, facts: { line } });
});

// Letters that mean something to the lexer, and some that do not.
const any = fc.string({
  unit: fc.constantFrom(';', "'", '"', '$', '\\', '-', '/', '*', '(', ')', '\n', ' ', 'e', 'E', 'a', 'é', '1'),
});
const without = (...parts: string[]): fc.Arbitrary<string> =>
  any.map((text) => parts.reduce((left, part) => left.split(part).join('_'), text));
const piece = fc.oneof(
  fc.constantFrom('SELECT', 'x', ',', '+', '1', 'begin', 'end', 'case', '(a; b)', '$1'),
  any.map((text) => `'${text.replaceAll("'", "''")}'`),
  any.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
  any.map((text) => `"${text.replaceAll('"', '""')}"`),
  without('$').map((text) => `$t$${text}$t$`),
  without('*', '/').map((text) => `/* ${text} /* ; */ ${text} */`),
  without('\n').map((text) => `--${text}\n`),
);
const between = fc.oneof(
  fc.constantFrom(' ', '\n', ' ; ', '\n\n'),
  without('\n').map((text) => `--${text}\n`),
  without('*', '/').map((text) => `/*${text}*/`),
);
const statement = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => `SELECT ${pieces.join(' ')} z`);

test('any statements, joined with anything between, come back as they were, with their places', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(between, statement), { maxLength: 8 }), between, async (parts, last) => {
      const script = `${parts.map(([space, text]) => `${space}${text};`).join('')}${last}`;
      const seen = await split(lineBlocks(script));
      expect(seen.map(({ text }) => text)).toEqual(parts.map(([, text]) => text));
      const bytes = Buffer.from(script, 'utf8');
      for (const { text, line, offset } of seen) {
        const length = Buffer.byteLength(text);
        expect(bytes.subarray(offset, offset + length).toString('utf8')).toBe(text);
        expect(line).toBe(bytes.subarray(0, offset).toString('utf8').split('\n').length);
      }
      expect(await split(textBlocks(script))).toEqual(seen);
    }),
    { numRuns: 500 },
  );
});
