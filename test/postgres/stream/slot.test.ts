import { expect, test } from 'vitest';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { localChanges } from '../../../src/postgres/local-changes.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { publish } from '../../../src/postgres/stream/publication.ts';
import { createSlot, readSlot, withSlot } from '../../../src/postgres/stream/slot.ts';
import { failure } from '../../support/failure.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

const name = 'verdigris_witness';

test('a preview that reads a long log has the slot: who works with it ends the preview, another preview waits for it', async () => {
  await withDatabase(async (client, server) => {
    await ensureControlSchema(client);
    await client.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
    await publish(client, name, [{ table: { schema: 'public', name: 'item' } }]);
    await createSlot(client, name, 30_000);
    await client.query("INSERT INTO item SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i");
    const written = [{ name: 'item', inserted: 100_000 }];
    await withClient(connectionTo(server, 'test'), 'preview', async (preview) => {
      const read = () => localChanges(preview, name, name);
      const busy = () => until('the slot in use', async () => (await readSlot(client, name))?.active);

      const first = read();
      await busy();
      expect(await failure(localChanges(client, name, name))).toMatchObject({ code: '55006' });
      expect(await withSlot(client, name, true, () => localChanges(client, name, name))).toMatchObject(written);
      expect(await first).toMatchObject(written);

      const second = failure(read());
      await busy();
      expect(await withSlot(client, name, false, () => localChanges(client, name, name))).toMatchObject(written);
      expect(await second).toMatchObject({ code: '57P01' });
    });
  });
});
