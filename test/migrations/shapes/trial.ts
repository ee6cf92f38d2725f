import fc from 'fast-check';
import type { Server } from '../../../src/platform/local/server.ts';
import { ofVerdict } from '../../../src/model/shape-changes.ts';
import { label, qualified, readTables, type Table } from '../../../src/postgres/catalogue.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { ident } from '../../../src/postgres/quote.ts';
import { dropStandIns } from '../../../src/postgres/row-identity.ts';
import { applied, judgeOf, withPair, type Judged } from './pair.ts';

export const schema = `
  CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN cents AS int CHECK (VALUE >= 0);
  CREATE TABLE a (id int PRIMARY KEY, x int CONSTRAINT small CHECK (x < 10), y text, CONSTRAINT known CHECK (y IN ('open', 'shut')));
  CREATE TABLE b (id int PRIMARY KEY, x int CONSTRAINT one UNIQUE, y text); CREATE UNIQUE INDEX live ON b (y) WHERE x > 3;
  CREATE TABLE c (id int PRIMARY KEY, x int NOT NULL, y varchar(4), z numeric(4, 2));
  CREATE TABLE d (id int PRIMARY KEY, x mood, y cents, z int4range, CONSTRAINT apart EXCLUDE USING gist (z WITH &&));
  CREATE TABLE e (id int NOT NULL, x int NOT NULL, y text, PRIMARY KEY (id, x)) PARTITION BY RANGE (x);
  CREATE TABLE e_1 PARTITION OF e FOR VALUES FROM (0) TO (10);
  CREATE TABLE f (id int PRIMARY KEY, x int NOT NULL DEFAULT 1, y text);`;

const bound = fc.integer({ min: 0, max: 20 });
const column = fc.constantFrom('x', 'y');
const labels = fc.constantFrom("'open'", "'open', 'shut'", "'open', 'shut', 'lost'", "'lost'");

/** Changes of every kind, most of them harmless at one bound and not at another. */
export const change: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom('<', '<=', '>', '<>'), bound)
    .map(
      ([is, n]) => `ALTER TABLE a DROP CONSTRAINT IF EXISTS small, ADD CONSTRAINT small CHECK (x ${is} ${n}) NOT VALID`,
    ),
  labels.map(
    (list) => `ALTER TABLE a DROP CONSTRAINT IF EXISTS known, ADD CONSTRAINT known CHECK (y IN (${list})) NOT VALID`,
  ),
  fc.tuple(bound, bound).map(([n, m]) => `ALTER TABLE a ADD CHECK (x BETWEEN ${n} AND ${m} OR y = 'open') NOT VALID`),
  fc
    .constantFrom('x', 'x, y', 'y', 'y, x')
    .map((list) => `ALTER TABLE b DROP CONSTRAINT IF EXISTS one, ADD CONSTRAINT one UNIQUE (${list})`),
  bound.map((n) => `DROP INDEX IF EXISTS live; CREATE UNIQUE INDEX live ON b (y) WHERE x > ${n}`),
  fc
    .constantFrom('b', 'f')
    .map((table) => `ALTER TABLE ${table} ADD COLUMN n int; CREATE UNIQUE INDEX ON ${table} (n, y)`),
  fc
    .constantFrom('b', 'f')
    .map(
      (table) =>
        `ALTER TABLE ${table} ADD COLUMN m int NOT NULL DEFAULT 3 CHECK (m > 2); CREATE UNIQUE INDEX ON ${table} (m, id)`,
    ),
  column.map((name) => `ALTER TABLE c ALTER ${name} DROP NOT NULL`),
  column.map((name) => `ALTER TABLE c ALTER ${name} SET NOT NULL`),
  fc.constantFrom('varchar(2)', 'varchar(9)', 'text').map((type) => `ALTER TABLE c ALTER y TYPE ${type}`),
  fc
    .constantFrom('numeric(3, 2)', 'numeric(6, 2)', 'numeric(6, 1)', 'numeric')
    .map((type) => `ALTER TABLE c ALTER z TYPE ${type}`),
  fc.constantFrom('bigint', 'smallint').map((type) => `ALTER TABLE c ALTER x TYPE ${type}`),
  fc.constantFrom(
    "ALTER TYPE mood ADD VALUE 'so-so'",
    "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
    'ALTER TABLE d DROP CONSTRAINT IF EXISTS apart',
  ),
  bound.map(
    (n) =>
      `ALTER DOMAIN cents DROP CONSTRAINT cents_check; ALTER DOMAIN cents ADD CONSTRAINT cents_check CHECK (VALUE >= ${n - 10})`,
  ),
  fc.constantFrom(
    'CREATE TABLE e_2 PARTITION OF e FOR VALUES FROM (10) TO (15)',
    'CREATE TABLE e_0 PARTITION OF e DEFAULT',
    'ALTER TABLE e DETACH PARTITION e_1',
    'ALTER TABLE e_1 ADD CHECK (x < 5) NOT VALID',
  ),
  fc
    .constantFrom('id, x', 'x, id', 'x')
    .map((key) => `ALTER TABLE f DROP CONSTRAINT f_pkey, ADD CONSTRAINT f_pkey PRIMARY KEY (${key})`),
  fc.constantFrom(
    'ALTER TABLE f DROP CONSTRAINT f_pkey',
    'ALTER TABLE f REPLICA IDENTITY FULL',
    'ALTER TABLE f REPLICA IDENTITY NOTHING',
    'ALTER TABLE f DROP COLUMN y; ALTER TABLE f ADD COLUMN y text',
    'CREATE TABLE g (x int)',
    'ALTER TABLE f ADD COLUMN c int REFERENCES c (id)',
  ),
);

/** Values that lie on both sides of every bound above. */
const values: Readonly<Record<string, readonly (string | null)[]>> = {
  int2: ['-3', '0', '4', '9', null],
  int4: ['-3', '0', '4', '9', '12', '70000', null],
  int8: ['-3', '4', '12', '5000000000', null],
  text: ['open', 'shut', 'lost', 'longer', null],
  varchar: ['a', 'open', 'lost', 'longer', null],
  numeric: ['1.25', '99.99', '1234.5', '0.333', null],
  int4range: ['[1,5)', '[3,9)', '[20,30)', null],
};

async function labelsOf(client: Client): Promise<string[]> {
  return (await rows<{ label: string }>(client, 'SELECT enumlabel AS label FROM pg_enum')).map(({ label: one }) => one);
}

/** Writes what the database takes of these, and leaves out the tables in which a row may end the way back. */
async function write(client: Client, seed: number, without: readonly string[] = []): Promise<void> {
  const moods = await labelsOf(client);
  const tables = (await readTables(client)).filter((table) => table.name !== 'g' && !without.includes(table.name));
  for (let round = 0; round < 40; round++) {
    for (const table of tables) {
      const statement = statementFor(table, moods, seed + round * 7);
      await client.query(statement).catch(() => undefined);
    }
  }
}

function statementFor(table: Table, moods: readonly string[], n: number): string {
  const columns = table.columns.filter(({ generated }) => !generated);
  const value = ({ name, baseType }: Table['columns'][number], place: number): string => {
    const of = values[baseType.replace(/^pg_catalog\./, '')] ?? [...moods, null];
    const picked = name === 'id' ? String(n % 50) : of[(n * (place + 3) + (n >> 3)) % of.length];
    return picked == null ? 'NULL' : `'${picked}'`;
  };
  const given = columns.filter((_, place) => place < 2 || (n + place) % 4 > 0);
  if (n % 5 === 3)
    return `UPDATE ${qualified(table)} SET ${columns
      .slice(1)
      .map((each, place) => `${ident(each.name)} = ${value(each, place)}`)
      .join(', ')} WHERE id = ${(n * 3) % 50}`;
  if (n % 11 === 4) return `DELETE FROM ${qualified(table)} WHERE id = ${(n * 5) % 50}`;
  const names = given.map(({ name }) => ident(name)).join(', ');
  return `INSERT INTO ${qualified(table)} (${names}) VALUES (${given.map(value).join(', ')})`;
}

export interface Trial {
  readonly let: readonly string[];
  readonly refused: readonly string[];
  readonly forward: string;
  readonly reverse: string;
}

/**
 * Makes what the judgement lets through on the candidate, and writes at the live colour, then, with the writes moved,
 * at the candidate. Tables whose rows may end the way back are left out there.
 */
export async function trial(server: Server, changes: readonly string[], seed: number): Promise<Trial> {
  const [passed, refused]: [string[], string[]] = [[], []];
  let outcome: Pick<Trial, 'forward' | 'reverse'> = { forward: '', reverse: '' };
  await withPair(server, schema, async (pair) => {
    const judge = await judgeOf(pair);
    for (const sql of changes) {
      if (await isLet(pair.candidate, judge, sql)) passed.push(sql);
      else refused.push(sql);
    }
    const { live, candidate } = pair;
    const forward = await applied(pair, [live, candidate], 'forward', () => write(live, seed));
    const ends = ofVerdict((await judge()).changes, 'ends lossless rollback').map(({ object }) => object);
    const without = await tablesOf(candidate, ends);
    await dropStandIns(candidate);
    const reverse = await applied(pair, [candidate, live], 'reverse', () => write(candidate, seed + 1, without));
    outcome = { forward, reverse };
  });
  return { let: passed, refused, ...outcome };
}

/** Runs it for good where the judgement of all that was let through so far, and of this, refuses nothing. */
async function isLet(candidate: Client, judge: () => Promise<Judged>, sql: string): Promise<boolean> {
  await candidate.query('BEGIN');
  try {
    await candidate.query(sql);
    const { changes, refused } = await judge();
    const breaks = refused || ofVerdict(changes, 'breaks N', 'breaks forward apply').length > 0;
    await candidate.query(breaks ? 'ROLLBACK' : 'COMMIT');
    return !breaks;
  } catch {
    await candidate.query('ROLLBACK');
    return false;
  }
}

/** Tables that an object of a finding is, is of, or is a type of. */
async function tablesOf(client: Client, objects: readonly string[]): Promise<string[]> {
  return (await readTables(client))
    .filter((table) =>
      objects.some(
        (object) =>
          object === label(table) ||
          object.startsWith(`${label(table)}.`) ||
          object.startsWith(`${label(table)}_`) ||
          ((object === 'public.mood' || object === 'public.cents') && table.name === 'd'),
      ),
    )
    .map(({ name }) => name);
}
