import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { shapesInFiles } from '../../../src/migrations/shapes/in-files.ts';
import { shapeChanges, shapeVerdicts, type ShapeVerdict } from '../../../src/model/shape-changes.ts';
import { withServer } from '../../support/postgres.ts';
import { judgeOf, withPair } from './pair.ts';

const file = (name: string) => readFile(path.join(import.meta.dirname, 'changes', name), 'utf8');

/** The gravest; what breaks the live release or the way to the candidate is refused alike. */
function worst(verdicts: readonly (ShapeVerdict | undefined)[]): string {
  const found = shapeVerdicts.find((verdict) => verdicts.includes(verdict)) ?? 'harmless';
  return found.startsWith('breaks') ? 'refused' : found;
}

async function byText(schema: string, sql: string): Promise<string> {
  const files = [schema, sql].map((text, index) => ({
    version: String(index),
    path: `migrations/${index}.sql`,
    bytes: Buffer.from(text),
  }));
  const seen = await shapesInFiles(files, [{ version: '1' }]);
  return worst(seen.map(({ verdict }) => verdict));
}

test('what the linter and `plan` say of a change by its text, the gate of `migrate` says by the catalogues', async () => {
  const [schema, changes] = [await file('schema.sql'), (await file('changes.sql')).split(/^----\n/m)];
  const seen: Record<string, string> = {};
  await withServer((server) =>
    withPair(server, schema, async (pair) => {
      const judge = await judgeOf(pair);
      for (const sql of changes) {
        await pair.candidate.query('BEGIN');
        await pair.candidate.query(sql.replaceAll(' CONCURRENTLY', ''));
        const { changes: found, refused } = await judge();
        await pair.candidate.query('ROLLBACK');
        const verdicts = found.map(({ id }) => shapeChanges[id].verdict);
        const gate = worst(refused ? ['breaks forward apply'] : verdicts);
        const text = await byText(schema, sql);
        if ((gate === text) === sql.startsWith('-- differs:')) seen[sql.trim()] = `gate: ${gate}, text: ${text}`;
      }
    }),
  );
  expect(changes.length).toBeGreaterThan(100);
  expect(seen).toEqual({});
});
