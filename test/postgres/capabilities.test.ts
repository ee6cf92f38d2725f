import { expect, test } from 'vitest';
import { capabilityTable, tryCapabilities } from '../../src/postgres/capabilities/try.ts';
import { rows } from '../../src/postgres/client.ts';
import { withManaged } from '../support/managed.ts';
import { testMajor, withDatabase } from '../support/postgres.ts';

test('an operator of a managed service is told what he can do, what is done instead, and the GRANT for the rest, which gives it', async () => {
  await withManaged(async (operator, _, reserved) => {
    await reserved.query('CREATE ROLE owner; CREATE SCHEMA theirs; CREATE TABLE theirs.t (id int PRIMARY KEY)');
    await reserved.query('ALTER SCHEMA theirs OWNER TO owner; ALTER TABLE theirs.t OWNER TO owner');
    const objects = () =>
      rows(
        reserved,
        'SELECT oid FROM pg_class WHERE relnamespace >= 16384 UNION ALL SELECT oid FROM pg_authid ORDER BY 1',
      );
    const before = await objects();
    const found = await tryCapabilities(operator);
    const lacks = (all: typeof found) => all.flatMap(({ id, can }) => (can ? [] : [id]));
    expect(lacks(found)).toEqual([
      ...(testMajor < 16 ? ['give-replication'] : []),
      'publish',
      'read-rows',
      ...(testMajor < 16 ? ['subscribe'] : []),
      'place-origins',
      'read-passwords',
      'change-settings',
      'lock-hba',
      'silence-triggers',
    ]);
    const text = capabilityTable(found);
    expect(text).toContain('ask for: GRANT "owner" TO "verdigris_operator";');
    expect(text).toContain('instead: passwords are not carried');
    for (const { grant } of found) for (const statement of grant) await reserved.query(statement);
    expect(lacks(await tryCapabilities(operator))).toEqual([
      ...(testMajor < 16 ? ['subscribe'] : []),
      'change-settings',
      'lock-hba',
    ]);
    if (testMajor >= 16) expect(await objects()).toEqual(before);
    expect(await rows(reserved, 'SELECT slot_name FROM pg_replication_slots')).toEqual([]);
  });
});

test('a superuser can do everything, and nothing is left of the attempts', async () => {
  await withDatabase(async (client) => {
    await client.query('CREATE TABLE t (id int)');
    const found = await tryCapabilities(client);
    expect(found.filter(({ can }) => !can)).toEqual([]);
    expect(capabilityTable(found)).toContain('can do all');
    expect(await rows(client, "SELECT FROM pg_roles WHERE rolname LIKE '%trial%'")).toEqual([]);
    expect(await rows(client, 'SELECT FROM pg_publication')).toEqual([]);
    // What no right would make possible is no reason to ask for one.
    await client.query('CREATE UNLOGGED TABLE u (id int PRIMARY KEY)');
    const publish = (await tryCapabilities(client)).find(({ id }) => id === 'publish');
    expect(publish).toMatchObject({ can: false, grant: [] });
  });
});
