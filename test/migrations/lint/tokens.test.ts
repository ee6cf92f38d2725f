import { loadModule, scanSync } from 'libpg-query';
import { beforeAll, expect, test } from 'vitest';
import fc from 'fast-check';
import { lintRules } from '../../../src/migrations/lint/rules/index.ts';
import { tokensOf } from '../../../src/migrations/lint/tokens.ts';
import { safe } from './corpus/safe.ts';
import { schema } from './corpus/schema.ts';
import { unsafe } from './corpus/unsafe.ts';

beforeAll(() => loadModule());

/** What PostgreSQL's own scanner says; undefined where it gives up. */
function scanned(text: string) {
  try {
    return scanSync(text).tokens.map(({ start, end }) => [start, end]);
  } catch {
    return undefined;
  }
}

function ours(text: string) {
  return tokensOf(text, 0).map(({ start, end }) => [start, end]);
}

const odd = [
  `SELECT 'it''s', E'a\\'b''c\\\\', N'n', B'01', X'1F', U&'d\\0061t', U&"d\\0061t", "a ""b"" c"`,
  `SELECT 'one'\n  -- between\n  'two', 'three' 'four'`,
  `SELECT $$a 'b' $x$ c$$, $ü$ $$ $ü$, $1, a$b, a.b.c, a..b, x[1:2], 1..2`,
  `SELECT 1, 1.5, .5, 1., 1e10, 1.5E-3, 1_000, 0x1F, 0o17, 0b11`,
  `/* a /* b */ c */ SELECT -- end\r\n 1 /**/ + /* x */ 2`,
  `UPDATE t SET a=-1, b = a<-1, c = a@-1, d = a=>1, e = a||-b, f = b->>'x', g = h::text, i = j#>'{a}'`,
  `SELECT größe, "Größe", 'größer', '😀' FROM straße WHERE x <> 1 AND y != 2 AND z >= 3;`,
  `DO $$ BEGIN x := 1; END $$;`,
  `SELECT b'''', X'''a', b'0'\n'1'`,
  `SELECT a --`,
  `SELECT 'open`,
  `SELECT "open`,
  `SELECT $$open`,
  `SELECT /* open`,
  `SELECT 1a`,
  `SELECT a*-1, b/*c*/d, e-- f\n-g, @-1, %-1, a!~~*b, 'x'::char(3)[]`,
];

const texts = [
  ...odd,
  schema,
  ...safe,
  ...unsafe.map(([sql]) => sql),
  ...lintRules.flatMap((one) => [one.bad, one.good]),
];

test("tokens of migrations are PostgreSQL's", () => {
  const judged = texts.filter((text) => scanned(text));
  expect(judged.length).toBeGreaterThan(400);
  expect(judged.map(ours)).toEqual(judged.map(scanned));
});

test("tokens of any words are PostgreSQL's", () => {
  const word = fc.constantFrom(
    ...'abeExXnNuU019._$\'";:,()[]+-*/<>=~!@#%^&|?`\n '.split(''),
    ...['--', '/*', '*/', '$$', '::', ':=', "E'", 'U&', 'ü', '😀'],
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const text = words.join('');
      expect(ours(text)).toEqual(scanned(text) ?? ours(text));
    }),
    { numRuns: 2_000 },
  );
});
