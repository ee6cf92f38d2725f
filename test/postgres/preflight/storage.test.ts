import { chown, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { rows } from '../../../src/postgres/client.ts';
import { withDatabase } from '../../support/postgres.ts';
import { findingOf, fixes, sound } from './support.ts';

test('large objects are named and fixed', async () => {
  await withDatabase(async (client) => {
    await client.query("SELECT lo_from_bytea(4711, 'x'), lo_from_bytea(4712, 'y')");
    await fixes(client, 'large-objects', { grade: 'refuse', objects: ['large object 4711', 'large object 4712'] });
    await client.query('SELECT lo_create(0) FROM generate_series(1, 1100)');
    const finding = await findingOf(client, 'large-objects');
    expect([finding?.objects.length, finding?.objects.at(-1), finding?.title]).toEqual([
      1001,
      'and 100 others',
      'the database holds 1,100 large objects',
    ]);
  }, sound);
});

test('unlogged tables are left out of publications; the fix logs referenced ones first and sequences too', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE UNLOGGED TABLE z_parent (id serial PRIMARY KEY);
      CREATE UNLOGGED TABLE b_child (id int PRIMARY KEY REFERENCES z_parent); CREATE UNLOGGED TABLE a_grandchild (id int PRIMARY KEY REFERENCES b_child);
      CREATE UNLOGGED SEQUENCE loose; CREATE PUBLICATION p FOR ALL TABLES; CREATE TABLE ok (id int PRIMARY KEY)`);
    expect(await rows(client, 'SELECT tablename FROM pg_publication_tables')).toEqual([{ tablename: 'ok' }]);
    await fixes(client, 'unlogged-tables', {
      grade: 'refuse',
      objects: ['public.a_grandchild', 'public.b_child', 'public.loose', 'public.z_parent'],
    });
    expect(await rows(client, 'SELECT tablename FROM pg_publication_tables ORDER BY 1')).toHaveLength(4);
  }, sound);
});

test('unlogged tables that reference each other are logged without their foreign keys, which are there again afterwards', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE UNLOGGED TABLE locks (id int PRIMARY KEY, mode int, self int REFERENCES locks);
      CREATE UNLOGGED TABLE modes (id int PRIMARY KEY, lock int REFERENCES locks DEFERRABLE);
      ALTER TABLE locks ADD FOREIGN KEY (mode) REFERENCES modes; CREATE UNLOGGED TABLE leaf (id int PRIMARY KEY REFERENCES modes)`);
    const keys =
      'SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = $$f$$ ORDER BY 1, 2';
    const before = await rows(client, keys);
    await fixes(client, 'unlogged-tables', {
      grade: 'refuse',
      objects: ['public.leaf', 'public.locks', 'public.modes'],
    });
    expect(await rows(client, keys)).toEqual(before);
  }, sound);
});

test('tablespaces beside the data directory are refused without a group snapshot, and emptied by the fix', async () => {
  await withDatabase(async (client, server) => {
    const place = path.join(path.dirname(server.directory), 'space "1"');
    await mkdir(place);
    if (server.account) await chown(place, server.account.uid, server.account.gid);
    await client.query(`CREATE TABLESPACE "S p" LOCATION '${place}'`);
    await client.query(
      'CREATE TABLE t (id int PRIMARY KEY USING INDEX TABLESPACE "S p", x int) TABLESPACE "S p"; CREATE MATERIALIZED VIEW m TABLESPACE "S p" AS SELECT 1 AS x',
    );
    expect(await findingOf(client, 'tablespaces', { groupSnapshot: true })).toBeUndefined();
    expect(await findingOf(client, 'tablespaces', { byRows: true })).toBeUndefined();
    await fixes(client, 'tablespaces', { grade: 'refuse', objects: [`S p at ${place}`] });
  }, sound);
});

test('a log on another volume is what the platform says', async () => {
  await withDatabase(async (client) => {
    expect(await findingOf(client, 'wal-volume', { walOnOtherVolume: true })).toMatchObject({
      grade: 'refuse',
      objects: ['pg_wal'],
    });
    expect(await findingOf(client, 'wal-volume', { walOnOtherVolume: true, groupSnapshot: true })).toBeUndefined();
  }, sound);
});
