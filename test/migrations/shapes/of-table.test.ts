import { expect, test } from 'vitest';
import { tableOfIndex, tablesThatDiffer } from '../../../src/migrations/shapes/of-table.ts';
import type { SchemaObject } from '../../../src/postgres/fingerprint/index.ts';

function table(name: string, check: string): SchemaObject[] {
  return [
    { kind: 'table', identity: name, definition: 'permanent' },
    { kind: 'column', identity: `${name}."a.b"`, definition: 'integer not null' },
    { kind: 'constraint', identity: `"c on d" on ${name}`, definition: check },
    { kind: 'index', identity: 'public.i', definition: `CREATE UNIQUE INDEX i ON ${name} USING btree ("a.b")` },
  ];
}

test('of two schemas only tables that are not the same in both are kept, with all that is theirs', () => {
  const view: SchemaObject = { kind: 'view', identity: 'public.v', definition: 'SELECT 1' };
  const before = [...table('public.same', 'CHECK (true)'), ...table('"Shop"."my table"', 'CHECK (true)'), view];
  const after = [...table('"Shop"."my table"', 'CHECK (false)'), ...table('public.same', 'CHECK (true)')];
  expect(tablesThatDiffer(before, after)).toEqual([
    table('"Shop"."my table"', 'CHECK (true)'),
    table('"Shop"."my table"', 'CHECK (false)'),
  ]);
  expect(tablesThatDiffer(before, before.toReversed())).toEqual([[], []]);
  expect(tablesThatDiffer(before, [...before, ...table('public.new', '')])).toEqual([[], table('public.new', '')]);
});

test('an index names its table as the catalogue prints it', () => {
  const of = (text: string) => tableOfIndex(`CREATE UNIQUE INDEX ${text}`);
  expect(of('"a ON b.c USING" ON ONLY "Shop"."my "" table" USING btree (id)')).toBe('"Shop"."my "" table"');
  expect(of('i ON public.orders USING gist (x)')).toBe('public.orders');
});
