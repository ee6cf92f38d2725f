import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { carriesSlots } from '../../src/postgres/standbys.ts';
import { publish } from '../../src/postgres/stream/publication.ts';
import { createSlot, readSlot } from '../../src/postgres/stream/slot.ts';
import { ensureReplicationRole } from '../../src/postgres/stream/source.ts';
import { subscribe } from '../../src/postgres/stream/subscription.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

const name = 'verdigris_shop_1_blue_to_green';

test('a slot outlives a failover only where it also waits for standbys, and a subscriber of an older major follows it too', async () => {
  await withServer(
    async (live) =>
      withServer(
        async (older) => {
          await withClient(connectionTo(live), 'test', async (client) => {
            await ensureControlSchema(client);
            await ensureReplicationRole(client, undefined);
            await publish(client, name, []);
            expect(await carriesSlots(client)).toBe(true);
            await createSlot(client, name, 10_000);
            // Carried, and yet what it sent may be missing on the standby that takes over.
            expect(await readSlot(client, name)).toMatchObject({ carried: false });
            await client.query("SELECT pg_create_physical_replication_slot('standby', true)");
            await client.query("ALTER SYSTEM SET synchronized_standby_slots = 'standby'");
            await client.query('SELECT pg_reload_conf()');
            await expect.poll(async () => (await readSlot(client, name))?.carried).toBe(true);
          });
          await withClient(connectionTo(older), 'test', async (client) => {
            await ensureControlSchema(client);
            await subscribe(client, name, `host=${live.sockets} port=${live.port}`, 'postgres', true);
            expect(await rows(client, 'SELECT subname AS name FROM pg_subscription')).toEqual([{ name }]);
            await client.query(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE); DROP SUBSCRIPTION ${name}`);
          });
          await withClient(connectionTo(live), 'test', async (client) =>
            expect(
              await rows(client, 'SELECT failover FROM pg_replication_slots WHERE slot_name = $1', [name]),
            ).toEqual([{ failover: true }]),
          );
        },
        {},
        15,
      ),
    { sync_replication_slots: 'on' },
    17,
  );
});
