import { expect, test } from 'vitest';
import { comparableOf } from '../../../../src/delivery/analysis/mirror/comparable.ts';
import { difference, type Given } from '../../../../src/delivery/analysis/mirror/rows.ts';
import { readBind, readParse } from '../../../../src/wire/bound.ts';

const volatile = new Set(['random', 'nextval', 'spend']);

test('only what reads, and gives the same where the data are the same, has its rows compared', async () => {
  const compare = async (text: string): Promise<string> => {
    const judged = await comparableOf(text, volatile);
    return judged.compare === 'nothing' ? judged.why : judged.compare;
  };
  for (const [text, expected] of [
    ['SELECT id, total FROM orders WHERE customer = $1', 'rows'],
    ['/* orm */ WITH a AS (SELECT 1) TABLE a', 'rows'],
    ['VALUES (1), (2)', 'rows'],
    ['SELECT DISTINCT city FROM customers', 'rows'],
    ['SELECT array_agg(id ORDER BY id) FROM orders', 'rows'],
    ['SELECT id FROM orders ORDER BY at DESC LIMIT 20', 'times'],
    ['SELECT DISTINCT ON (customer) customer, id FROM orders', 'times'],
    ['SELECT array_agg(id) FROM orders', 'times'],
    ['SELECT row_number() OVER (ORDER BY at) FROM orders', 'times'],
    ['SELECT * FROM (SELECT id FROM orders LIMIT 1) o', 'times'],
    ['WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone', 'it writes'],
    ['SELECT id INTO copy FROM orders', 'it makes a table'],
    ['SELECT id FROM orders FOR UPDATE', 'it locks rows'],
    ['SELECT current_timestamp', 'it asks for the time or the user'],
    ['SELECT id FROM orders WHERE at > now()', 'now() may give another value each time'],
    ['SELECT app.spend(1)', 'spend() may give another value each time'],
    ['SELECT * FROM orders TABLESAMPLE SYSTEM (1)', 'it takes a sample'],
    ['SELECT 1; SELECT 2', 'it is no single statement that can be parsed'],
    ['SELEC 1', 'it is no single statement that can be parsed'],
    ['UPDATE orders SET total = 0', 'it is no SELECT'],
  ])
    expect(await compare(text ?? ''), text).toBe(expected);
  const ids = await Promise.all(
    [1, 2].map((n) => comparableOf(`SELECT id FROM orders WHERE customer = ${n}`, volatile)),
  );
  expect(ids[0]).toEqual(ids[1]);
});

test('rows count whatever their order and how often they are there, by the columns that both have, and sums of floats to their digits', () => {
  const given = (columns: string, ...rows: (string | null)[][]): Given => ({
    columns: columns.split(' ').map((name) => ({ name, type: name === 'float' ? 701 : 25 })),
    rows,
  });
  const one = given('a b', ['1', 'x'], ['2', null], ['2', null]);
  expect(difference(one, given('a b', ['2', null], ['1', 'x'], ['2', null]))).toBeUndefined();
  expect(difference(one, given('new b a', ['n', null, '2'], ['n', 'x', '1'], ['n', null, '2']))).toBeUndefined();
  expect(difference(one, given('a b', ['1', 'x'], ['1', 'x'], ['2', null]))).toBe(
    '3 rows on both, and not the same ones',
  );
  expect(difference(one, given('a b', ['1', 'x'], ['2', ''], ['2', null]))).toContain('not the same');
  expect(difference(one, given('a b', ['1', 'x']))).toBe('3 rows on the live colour, 1 on the candidate');
  expect(difference(one, given('a c', ['1', 'x']))).toBe('the candidate gives no column b');
  expect(difference(given('float', ['0.1']), given('float', ['0.10000000000000001']))).toBeUndefined();
  expect(difference(given('float', ['0.1']), given('float', ['0.2']))).toContain('not the same');
});

test('Parse and Bind are read as they are, and what is cut short is nothing', () => {
  const parse = Buffer.from('name\0SELECT $1\0\0\x01\0\0\0\x17', 'latin1');
  expect(readParse(parse)).toMatchObject({ name: 'name', text: Buffer.from('SELECT $1'), types: [23] });
  const bind = Buffer.from('p\0name\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\0', 'latin1');
  expect(readBind(bind)).toEqual({
    portal: 'p',
    statement: 'name',
    values: [{ binary: true, bytes: Buffer.from('ab') }, null],
  });
  for (let cut = 0; cut < parse.length; cut++) expect(readParse(parse.subarray(0, cut))).toBeUndefined();
  for (let cut = 0; cut < bind.length - 2; cut++) expect(readBind(bind.subarray(0, cut))).toBeUndefined();
});
