import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { foresee } from '../../../src/migrations/foreseen/judge.ts';
import { shapesInFiles } from '../../../src/migrations/shapes/in-files.ts';
import { refusals, type Finding } from '../../../src/model/finding.ts';
import { shapeChanges, shapeVerdicts, type SeenChange, type ShapeVerdict } from '../../../src/model/shape-changes.ts';
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

/** What refuses, and every change, as `id object`. */
function saidOf(changes: readonly SeenChange[], findings: readonly Finding[]): { must: string[]; all: string[] } {
  const refusing = refusals(findings).flatMap(({ id, objects }) => objects.map((object) => `${id} ${object}`));
  const line = ({ id, object }: SeenChange): string => `${id} ${object}`;
  const breaking = changes.filter(({ id }) => shapeChanges[id].verdict.startsWith('breaks')).map(line);
  return { must: [...breaking, ...refusing], all: [...changes.map(line), ...refusing] };
}

const running = { place: 'public' };

test('what the linter, `plan` and the gate before a seed say of a change by its text, the gate of `migrate` says by the catalogues', async () => {
  const [schema, changes] = [await file('schema.sql'), (await file('changes.sql')).split(/^----\n/m)];
  const seen: Record<string, string> = {};
  const [untrue, unforeseen]: [Record<string, string[]>, string[]] = [{}, []];
  await withServer((server) =>
    withPair(server, schema, async (pair) => {
      const judge = await judgeOf(pair);
      for (const sql of changes) {
        await pair.candidate.query('BEGIN');
        await pair.candidate.query(sql.replaceAll(' CONCURRENTLY', ''));
        const { changes: found, findings, refused } = await judge();
        await pair.candidate.query('ROLLBACK');
        const verdicts = found.map(({ id }) => shapeChanges[id].verdict);
        const gate = worst(refused ? ['breaks forward apply'] : verdicts);
        const text = await byText(schema, sql);
        const ahead = await foresee(pair.live, [{ path: 'migrations/1.sql', bytes: Buffer.from(sql) }], running);
        const [said, real] = [saidOf(ahead.changes, [...ahead.forward, ...ahead.reverse]), saidOf(found, findings)];
        const wrong = [...said.all.filter((each) => !real.all.includes(each)), ...ahead.failing.map(({ why }) => why)];
        if (wrong.length > 0) untrue[sql.trim()] = wrong;
        // What stands under a name again, and what code or a parent changes, is `migrate`'s to say, after the seed.
        const isMissed = real.must.some((each) => !said.all.includes(each));
        if (isMissed !== sql.includes('-- after the seed')) unforeseen.push(sql.trim());
        if ((gate === text) === sql.startsWith('-- differs:')) seen[sql.trim()] = `gate: ${gate}, text: ${text}`;
      }
    }),
  );
  expect(changes.length).toBeGreaterThan(100);
  expect(seen).toEqual({});
  expect(untrue).toEqual({});
  expect(unforeseen).toEqual([]);
});
