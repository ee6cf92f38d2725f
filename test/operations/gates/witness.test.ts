import { expect, test } from 'vitest';
import { keepWitness } from '../../../src/operations/gates/witness.ts';
import { rows } from '../../../src/postgres/client.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { publish } from '../../../src/postgres/stream/publication.ts';
import { createSlot } from '../../../src/postgres/stream/slot.ts';
import { withDatabase } from '../../support/postgres.ts';

const left =
  'SELECT slot_name AS name FROM pg_replication_slots UNION ALL SELECT pubname FROM pg_publication ORDER BY 1';

test('the slot of an ended stream stays as a witness, or goes with its publication where there is no room for a copy', async () => {
  await withDatabase(
    async (client) => {
      await ensureControlSchema(client);
      for (const [others, expected] of [
        [[], ['verdigris_witness', 'verdigris_stream']],
        [['others'], ['others']],
      ] as const) {
        for (const name of others) await client.query('SELECT pg_create_physical_replication_slot($1)', [name]);
        await publish(client, 'verdigris_stream', []);
        await createSlot(client, 'verdigris_stream', 30_000);
        await keepWitness(client, 'verdigris_stream', 'verdigris_witness');
        // Killed behind it, it runs again.
        await keepWitness(client, 'verdigris_stream', 'verdigris_witness');
        expect((await rows<{ name: string }>(client, left)).map(({ name }) => name)).toEqual([...expected].toSorted());
        await client.query(
          "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'verdigris_witness'",
        );
        await client.query('DROP PUBLICATION IF EXISTS verdigris_stream');
      }
    },
    { max_slot_wal_keep_size: '512MB', max_replication_slots: '2' },
  );
});
