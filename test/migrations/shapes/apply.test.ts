import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withServer } from '../../support/postgres.ts';
import { judgeOf, withPair } from './pair.ts';
import { ofVerdict } from '../../../src/model/shape-changes.ts';
import { sqlState } from '../../support/failure.ts';
import { change, schema, trial } from './trial.ts';

/** What is refused, with a statement of the live release that shows why. */
const broken: readonly (readonly [sql: string, statement: string])[] = [
  ['ALTER TABLE a DROP CONSTRAINT small, ADD CONSTRAINT small CHECK (x < 5)', "INSERT INTO a VALUES (1, 7, 'open')"],
  [
    "ALTER TABLE a DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (y = 'open')",
    "INSERT INTO a VALUES (1, 7, 'shut')",
  ],
  ['DROP INDEX live; CREATE UNIQUE INDEX live ON b (y)', "INSERT INTO b VALUES (1, 1, 'q'), (2, 2, 'q')"],
  ['ALTER TABLE c ALTER y SET NOT NULL', 'INSERT INTO c VALUES (1, 1, NULL)'],
  ['ALTER TABLE c ALTER y TYPE varchar(2)', "INSERT INTO c VALUES (1, 1, 'open')"],
  ["ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "INSERT INTO d VALUES (1, 'ok')"],
  ['ALTER DOMAIN cents ADD CHECK (VALUE > 5)', 'INSERT INTO d VALUES (1, NULL, 3)'],
  ['ALTER TABLE e DETACH PARTITION e_1', 'INSERT INTO e VALUES (1, 5)'],
  ['ALTER TABLE f ADD n int; ALTER TABLE f ADD CHECK (n IS NOT NULL)', 'INSERT INTO f VALUES (1)'],
  ['ALTER TABLE f ADD n int DEFAULT 0; CREATE UNIQUE INDEX ON f (n)', 'INSERT INTO f VALUES (1), (2)'],
  ['ALTER TABLE f ADD n int; CREATE UNIQUE INDEX ON f (coalesce(n, 0))', 'INSERT INTO f VALUES (1), (2)'],
  ['ALTER TABLE f ADD n date DEFAULT current_date; CREATE UNIQUE INDEX ON f (n)', 'INSERT INTO f VALUES (1), (2)'],
  [
    'ALTER TABLE a ADD n int GENERATED ALWAYS AS (x % 2) STORED; CREATE UNIQUE INDEX ON a (n)',
    "INSERT INTO a VALUES (1, 3, 'open'), (2, 5, 'open')",
  ],
];

test('what the judgement lets through stops apply in neither direction, but where it was said', async () => {
  const sequences = fc.sample(fc.array(change, { minLength: 7, maxLength: 7 }), { numRuns: 2, seed: 20261128 });
  await withServer(async (server) => {
    for (const [seed, changes] of sequences.entries()) {
      const seen = await trial(server, changes, seed);
      expect(seen, JSON.stringify(seen, null, 1)).toMatchObject({ forward: 'arrived', reverse: 'arrived' });
      expect(seen.let.length).toBeGreaterThan(0);
    }
  });
});

test('what the judgement refuses breaks a statement that the live release runs today', async () => {
  await withServer((server) =>
    withPair(server, schema, async (pair) => {
      const { live, candidate } = pair;
      const judge = await judgeOf(pair);
      for (const [sql, statement] of broken) {
        await live.query('BEGIN');
        expect(await sqlState(live, statement), statement).toBe('succeeded');
        await live.query('ROLLBACK');
        await candidate.query('BEGIN');
        await candidate.query(sql);
        expect(ofVerdict((await judge()).changes, 'breaks N').length, sql).toBeGreaterThan(0);
        expect(await sqlState(candidate, statement), statement).not.toBe('succeeded');
        await candidate.query('ROLLBACK');
      }
    }),
  );
});
