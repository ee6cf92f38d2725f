import { expect, test } from 'vitest';
import { startServer, stopServer } from '../../../src/platform/local/server.ts';
import { one } from '../../../src/postgres/client.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { createSlot, readSlot } from '../../../src/postgres/stream/slot.ts';
import { publish } from '../../../src/postgres/stream/publication.ts';
import { startAt } from '../../../src/postgres/stream/subscription.ts';
import { withManaged } from '../../support/managed.ts';
import { connectionTo } from '../../support/postgres.ts';

const name = 'verdigris_shop_1_blue_to_green';

test('who may not say where a subscription begins has the slot begin there, and a crash of the publisher does not forget it', async () => {
  await withManaged(async (operator, server, reserved) => {
    await reserved.query('GRANT pg_checkpoint TO verdigris_operator');
    await ensureControlSchema(operator);
    await publish(operator, name, []);
    const made = await createSlot(operator, name, 10_000);
    await operator.query('CREATE TABLE public.t AS SELECT FROM generate_series(1, 100)');
    const { position } = await one<{ position: string }>(
      operator,
      'SELECT end_lsn::text AS position FROM pg_replication_slot_advance($1, pg_current_wal_flush_lsn())',
      [name],
    );
    expect(position).not.toBe(made);
    await operator.query(`CREATE SUBSCRIPTION ${name} CONNECTION 'host=127.0.0.1 dbname=none user=none password=none'
      PUBLICATION ${name} WITH (connect = false, slot_name = ${name})`);
    await startAt(operator, operator, name, position);
    await stopServer(server, 'immediate');
    await startServer(server);
    await withOwnSession(connectionTo(server, 'shop'), 'test', async (again) =>
      expect(await readSlot(again, name)).toMatchObject({ confirmed: position }),
    );
  }, 17);
});
