import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { publish, publishMore, startPublishing, unpublish } from '../../../src/postgres/stream/publication.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';

test('a publication that comes and goes beside clients ends none of their statements', async () => {
  await withDatabase(async (client, server) => {
    await ensureControlSchema(client);
    await client.query(
      'CREATE TABLE item (id int PRIMARY KEY, v int); INSERT INTO item SELECT i, 0 FROM generate_series(1, 6) i',
    );
    let over = false;
    const failed: string[] = [];
    const writer = (_: unknown, id: number) =>
      withClient(connectionTo(server, 'test'), 'client', async (own) => {
        while (!over)
          await own
            .query('UPDATE item SET v = v + 1 WHERE id = $1', [id + 1])
            .catch((error: Error) => failed.push(error.message));
      });
    const writers = Promise.all(Array.from({ length: 6 }, writer));
    // Whatever changes in the table's publications has clients read again which there are.
    await client.query('CREATE PUBLICATION other');
    const restless = withClient(connectionTo(server, 'test'), 'other', async (own) => {
      while (!over) for (const how of ['ADD', 'DROP']) await own.query(`ALTER PUBLICATION other ${how} TABLE item`);
    });
    for (let round = 0; round < 200; round += 1) {
      await publish(client, 'verdigris_trial', [{ table: { schema: 'public', name: 'item' } }]);
      await unpublish(client, 'verdigris_trial');
    }
    over = true;
    await Promise.all([writers, restless]);
    expect(failed).toEqual([]);
  });
});

test('a publication goes while somebody holds one of its tables locked', async () => {
  await withDatabase(async (client, server) => {
    await ensureControlSchema(client);
    await client.query('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE locked (id int PRIMARY KEY)');
    await publish(
      client,
      'verdigris_trial',
      ['item', 'locked'].map((name) => ({ table: { schema: 'public', name } })),
    );
    await withClient(connectionTo(server, 'test'), 'client', async (own) => {
      await own.query('BEGIN; LOCK TABLE locked IN SHARE UPDATE EXCLUSIVE MODE');
      await sleep(200);
      await client.query("SET lock_timeout = '1s'");
      await unpublish(client, 'verdigris_trial');
      await own.query('COMMIT');
    });
    expect((await client.query('SELECT FROM pg_publication')).rows).toEqual([]);
  });
});

test('a publication whose undoing was cut short, emptied and not dropped, has the barrier once it is taken again', async () => {
  await withDatabase(async (client) => {
    await ensureControlSchema(client);
    await client.query(
      `CREATE TABLE item (id int PRIMARY KEY);
      CREATE FUNCTION cut() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cut short'; END $$;
      CREATE EVENT TRIGGER cut ON ddl_command_start WHEN TAG IN ('DROP PUBLICATION') EXECUTE FUNCTION cut()`,
    );
    const name = 'verdigris_trial';
    const item = [{ table: { schema: 'public', name: 'item' } }];
    const published = async () =>
      (
        await rows<{ table: string }>(client, 'SELECT prrelid::regclass AS table FROM pg_publication_rel ORDER BY 1')
      ).map(({ table }) => table);
    for (const [how, take, whole] of [
      ['begun', () => startPublishing(client, name), ['verdigris.barrier']],
      ['added to', () => publishMore(client, name, item), ['item', 'verdigris.barrier']],
      ['given tables', () => publish(client, name, item), ['item', 'verdigris.barrier']],
    ] as const) {
      await publish(client, name, item);
      await expect(unpublish(client, name)).rejects.toThrow('cut short');
      expect(await published(), how).toEqual([]);
      await take();
      expect((await published()).toSorted(), how).toEqual(whole);
    }
  });
});
