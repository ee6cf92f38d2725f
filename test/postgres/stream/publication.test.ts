import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { publish, unpublish } from '../../../src/postgres/stream/publication.ts';
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
