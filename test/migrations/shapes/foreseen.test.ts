import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foresee } from '../../../src/migrations/foreseen/judge.ts';
import { refusals, type Finding } from '../../../src/model/finding.ts';
import { shapeChanges, type SeenChange } from '../../../src/model/shape-changes.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { withServer } from '../../support/postgres.ts';
import { judgeOf, withPair, type Pair } from './pair.ts';

const numRuns = Number(process.env['VERDIGRIS_FORESEEN'] ?? 300);
const file = (name: string) => readFile(path.join(import.meta.dirname, 'changes', name), 'utf8');

const line = ({ id, object }: SeenChange): string => `${id} ${object}`;
const refused = (findings: readonly Finding[]): string[] =>
  refusals(findings).flatMap(({ id, objects }) => objects.map((object) => `${id} ${object}`));

/** Those of the changes that run one behind the other. */
async function run(client: Client, changes: readonly string[]): Promise<string[]> {
  const done: string[] = [];
  for (const sql of changes) {
    await client.query('SAVEPOINT before');
    await client.query(sql).then(
      () => done.push(sql),
      () => client.query('ROLLBACK TO before'),
    );
  }
  return done;
}

test('of any files nothing is foreseen that `migrate` does not find, and most of what it finds is', async () => {
  const schema = await file('schema.sql');
  const all = (await file('changes.sql')).split(/^----\n/m).map((sql) => sql.replaceAll(' CONCURRENTLY', ''));
  const sequences = fc.array(fc.constantFrom(...all), { minLength: 2, maxLength: 5 });
  const untrue: unknown[] = [];
  const breaking = { found: 0, missed: 0 };
  const judgeOne = async ({ live, candidate }: Pair, judge: Awaited<ReturnType<typeof judgeOf>>, sql: string[]) => {
    await candidate.query('BEGIN');
    const done = await run(candidate, sql);
    const { changes, findings } = await judge();
    await candidate.query('ROLLBACK');
    const files = done.map((text, index) => ({ path: `migrations/${index}.sql`, bytes: Buffer.from(text) }));
    const ahead = await foresee(live, files, { place: 'public' });
    const said = [...ahead.changes.map(line), ...refused([...ahead.forward, ...ahead.reverse])];
    const real = new Set([...changes.map(line), ...refused(findings)]);
    const wrong = [...said.filter((each) => !real.has(each)), ...ahead.failing.map(({ why }) => why)];
    if (wrong.length > 0) untrue.push({ done, wrong });
    const breaks = changes.filter(({ id }) => shapeChanges[id].verdict.startsWith('breaks')).map(line);
    breaking.found += breaks.length;
    breaking.missed += breaks.filter((each) => !said.includes(each)).length;
  };
  await withServer((server) =>
    withPair(server, schema, async (pair) => {
      const judge = await judgeOf(pair);
      for (const sql of fc.sample(sequences, numRuns)) await judgeOne(pair, judge, sql);
    }),
  );
  expect(untrue).toEqual([]);
  expect(breaking.found).toBeGreaterThan(numRuns);
  expect(breaking.missed / breaking.found).toBeLessThan(0.3);
});
