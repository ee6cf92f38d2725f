import { expect, test } from 'vitest';
import { Silenced, type LiveTrigger } from '../../../src/migrations/data/trigger-switches.ts';
import { parseScript } from '../../../src/migrations/engines/sql/parse.ts';
import type { Table } from '../../../src/postgres/catalogue.ts';

const rest = { partitioned: false, persistence: 'permanent', columns: [], primaryKey: [], identity: [] } as const;
const table = (oid: number, schema: string, name: string): Table => ({
  ...{ ...rest, oid, schema, name, replicaIdentity: 'default', bytes: 0, estimatedRows: 0 },
});
const tables = [table(1, 'app', 'a'), table(2, 'app', 'b'), table(3, 'old', 'b')];
const trigger = (of: string, name: string, calls: string, ofKey = false): LiveTrigger => ({
  ...{ table: of, name, function: calls, ofKey },
});
const live = [
  trigger('app.a', 'audit', 'note_change'),
  trigger('app.a', 'a_b_fkey', 'RI_FKey_check_ins', true),
  trigger('app.b', 'audit', 'note_change'),
];

/** What is told of `app.a` and `app.b` at the last of the statements. */
async function silencedBy(text: string): Promise<string[]> {
  const silenced = new Silenced(tables, live);
  const statements = await parseScript(Buffer.from(`${text}; UPDATE app.a SET x = 1`), '1.sql');
  for (const statement of statements) silenced.learn(statement);
  return silenced.of(['app.a', 'app.b'], statements.at(-1) ?? {});
}

test.each([
  ['ALTER TABLE a DISABLE TRIGGER audit', ['app.a audit']],
  ['ALTER TABLE app.a DISABLE TRIGGER USER', ['app.a audit']],
  ['ALTER TABLE a DISABLE TRIGGER ALL', ['app.a audit', 'app.a a_b_fkey']],
  ['ALTER TABLE a DISABLE TRIGGER ALL; ALTER TABLE a ENABLE TRIGGER USER', ['app.a a_b_fkey']],
  ['ALTER TABLE a DISABLE TRIGGER ALL; ALTER TABLE a ENABLE TRIGGER ALL', []],
  ['ALTER TABLE a DISABLE TRIGGER ALL; ALTER TABLE a ENABLE ALWAYS TRIGGER audit', ['app.a a_b_fkey']],
  // Which b it is, the path of whoever runs it says.
  ['ALTER TABLE b DISABLE TRIGGER ALL', []],
  ['ALTER TABLE app.b DISABLE TRIGGER ALL', ['app.b audit']],
  // One that is gone, or may be, is silent for nobody.
  ['DROP TRIGGER audit ON app.a; ALTER TABLE a DISABLE TRIGGER USER', []],
  ['DROP FUNCTION note_change() CASCADE; ALTER TABLE a DISABLE TRIGGER USER', []],
  ["SET session_replication_role = 'replica'", ['all of session_replication_role = replica']],
  ["SELECT set_config('session_replication_role', 'local', false)", ['all of session_replication_role = local']],
  ['SET session_replication_role = replica; RESET session_replication_role', []],
  ['SET session_replication_role = replica; SET session_replication_role = origin', []],
  ['SET session_replication_role = replica; SET session_replication_role = DEFAULT', []],
  ['SET session_replication_role = replica; RESET ALL', []],
  ['SELECT 1', []],
])('%s', async (text, found) => {
  expect(await silencedBy(text)).toEqual(found);
});
