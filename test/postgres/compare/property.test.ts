import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Client } from '../../../src/postgres/client.ts';
import { ident } from '../../../src/postgres/quote.ts';
import { withServer } from '../../support/postgres.ts';
import { account, withSides } from './support.ts';

const types = [
  'int4',
  'int8',
  'text',
  'numeric',
  'float8',
  'timestamptz',
  'bytea',
  'bool',
  'jsonb',
  'uuid',
  'text[]',
  'date',
] as const;
type Type = (typeof types)[number];

/** Two values of a type that PostgreSQL prints differently. */
const values: Readonly<Record<Type, fc.Arbitrary<string>>> = {
  int4: fc.integer().map(String),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  text: fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  numeric: fc
    .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(9))
    .map(([whole, scale]) => `${whole}.${'0'.repeat(scale)}1${'0'.repeat(scale)}`),
  float8: fc.double({ noNaN: true }).map((number) => (Object.is(number, -0) ? '-0' : String(number))),
  timestamptz: fc
    .integer({ min: -2_000_000_000, max: 2_000_000_000 })
    .chain((seconds) =>
      fc
        .nat(999_999)
        .map(
          (micros) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}+00`,
        ),
    ),
  bytea: fc.uint8Array().map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  bool: fc.boolean().map(String),
  jsonb: fc.json().map((text) => text.replaceAll('\\u0000', '')),
  uuid: fc.uuid(),
  'text[]': fc.array(fc.integer().map(String), { maxLength: 3 }).map((items) => `{${items.join(',')}}`),
  date: fc.integer({ min: 0, max: 100_000 }).map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10)),
};

interface Case {
  readonly columns: readonly Type[];
  readonly keyed: number;
  readonly rows: readonly (readonly (string | null)[])[];
  readonly mutation: {
    readonly kind: 'none' | 'delete' | 'insert' | 'change';
    readonly row: number;
    readonly column: number;
    readonly value: string | null;
  };
}

const cases: fc.Arbitrary<Case> = fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 6 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    keyed: fc.integer({ min: 0, max: Math.min(2, columns.length) }),
    rows: fc.array(fc.tuple(...columns.map((type) => fc.option(values[type], { freq: 4 }))), {
      minLength: 1,
      maxLength: 12,
    }),
    mutation: fc.nat(columns.length - 1).chain((column) =>
      fc.record({
        kind: fc.constantFrom('none', 'delete', 'insert', 'change'),
        row: fc.nat(11),
        column: fc.constant(column),
        value: fc.option(values[columns[column] as Type], { freq: 4 }),
      }),
    ),
  }),
);

const show = async (client: Client) =>
  (await client.query<{ t: string }>('SELECT t::text FROM t ORDER BY t::text COLLATE "C"')).rows.map(({ t }) => t);

test('any table: a mutation is found, and none is seen where there is none', async () => {
  await withServer((server) =>
    withSides(server, async ({ live, candidate, compare }) => {
      for (const side of [live, candidate]) await side.query('SET extra_float_digits = 1; SET TimeZone = UTC');
      await fc.assert(
        fc.asyncProperty(cases, async ({ columns, keyed, rows, mutation }) => {
          const names = columns.map((_, index) => `c "${index}`);
          const key = names.slice(0, keyed).filter((_, index) => columns[index] !== 'jsonb');
          const list = names.map((name) => ident(name)).join(', ');
          const places = names.map((_, index) => `$${index + 1}`).join(', ');
          const insert = (side: Client, row: readonly (string | null)[]) =>
            side
              .query(
                `INSERT INTO t (${list}) VALUES (${places}) ON CONFLICT DO NOTHING`,
                row.map((value, index) => value ?? (key.includes(names[index] as string) ? '0' : null)) as unknown[],
              )
              .catch((error: { code?: string }) => {
                // '0' is no value of this key's type, or the value is no jsonb that PostgreSQL takes: the row is left
                // out.
                if (!error.code?.startsWith('22')) throw error;
              });
          const parts = names.map((name, index) => `${ident(name)} ${columns[index]}`);
          if (key.length > 0) parts.push(`PRIMARY KEY (${key.map((name) => ident(name)).join(', ')})`);
          for (const side of [live, candidate]) {
            await side.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (${parts.join(', ')})`);
            for (const row of rows) await insert(side, row);
          }
          const target = `ctid = (SELECT ctid FROM t ORDER BY t::text COLLATE "C" OFFSET ${mutation.row % rows.length} LIMIT 1)`;
          if (mutation.kind === 'delete') await candidate.query(`DELETE FROM t WHERE ${target}`);
          if (mutation.kind === 'insert')
            await insert(
              candidate,
              rows[0]?.map((value, index) => (index === mutation.column ? mutation.value : value)) ?? [],
            );
          if (mutation.kind === 'change') {
            await candidate
              .query(`UPDATE t SET ${ident(names[mutation.column] as string)} = $1 WHERE ${target}`, [mutation.value])
              .catch((error: { code?: string }) => {
                if (!error.code?.startsWith('2')) throw error;
              });
          }
          const [left, right] = [await show(live), await show(candidate)];
          const result = await compare({ connections: 1 });
          expect([result.equal, account(result).length === 0]).toEqual(
            JSON.stringify(left) === JSON.stringify(right) ? [true, true] : [false, false],
          );
          expect([result.rowsLive, result.rowsCandidate]).toEqual([left.length, right.length]);
        }),
        { numRuns: 60 },
      );
    }),
  );
}, 120_000);
