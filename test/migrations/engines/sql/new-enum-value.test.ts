import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { planData } from '../../../../src/migrations/data/plan.ts';
import { readSqlFiles } from '../../../../src/migrations/engines/sql/files.ts';
import { lintFiles } from '../../../../src/migrations/lint/lint.ts';
import type { Table } from '../../../../src/postgres/catalogue.ts';
import { temporaryFolder } from '../../../support/postgres.ts';

const schema = "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE feels (m mood); CREATE TABLE roles (name text);";
const add = "ALTER TYPE mood ADD VALUE 'great';\n";

function table(name: string, column: string, baseType: string): Table {
  const rest = {
    number: 1,
    type: '',
    stored: '',
    constrained: false,
    notNull: false,
    hasDefault: false,
    generated: false,
  };
  return {
    ...{
      oid: 1,
      schema: 'public',
      name,
      partitioned: false,
      persistence: 'permanent',
      columns: [{ ...rest, name: column, baseType }],
    },
    ...{ primaryKey: [], identity: [], replicaIdentity: 'default', bytes: 0, estimatedRows: 0 },
  };
}

const live = [
  table('feels', 'm', 'public.mood'),
  table('many', 'm', 'public._mood'),
  table('roles', 'name', 'pg_catalog.text'),
];

/** What the plan and the linter say of a statement behind the one that adds the value. */
async function judged(statement: string): Promise<{ plan: unknown; lint: boolean }> {
  const folder = await temporaryFolder();
  try {
    await writeFile(path.join(folder, '0001_a.sql'), add + statement);
    const files = await readSqlFiles(folder);
    const plan = await Promise.resolve(files)
      .then((read) => planData(read, live))
      .then(
        () => 'taken',
        (error: { id: string }) => error.id,
      );
    const { findings } = await lintFiles([
      { path: 'schema.sql', text: schema, applied: true },
      { path: 'a.sql', text: add + statement },
    ]);
    return { plan, lint: findings.some(({ rule }) => rule === 'enum-value-used-in-transaction') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.each([
  ["UPDATE feels SET m = 'great';", 'migration-forbidden', true],
  ["INSERT INTO roles VALUES ('great');", 'taken', false],
  ["UPDATE roles SET name = 'great' WHERE name = 'ok';", 'taken', false],
])('%s behind ADD VALUE: plan and linter agree', async (statement, plan, lint) => {
  expect(await judged(statement)).toEqual({ plan, lint });
});

test('an array of the enum holds its values too', async () => {
  expect((await judged("UPDATE many SET m = m || 'great'::mood;")).plan).toBe('migration-forbidden');
});
