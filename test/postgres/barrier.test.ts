import { expect, test } from 'vitest';
import { streamName } from '../../src/model/names.ts';
import { startServer, stopServer } from '../../src/platform/local/server.ts';
import { crossBarrier, markerOf } from '../../src/postgres/barrier.ts';
import { rows } from '../../src/postgres/client.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { grantApply } from '../../src/postgres/stream/applier.ts';
import { publish, sealOf } from '../../src/postgres/stream/publication.ts';
import { createSlot } from '../../src/postgres/stream/slot.ts';
import { ensureReplicationRole } from '../../src/postgres/stream/source.ts';
import { enableStream, subscribe } from '../../src/postgres/stream/subscription.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

const name = streamName('shop', 1, 'blue', 'green');

test('what has crossed survives a crash of both servers, whenever the WAL writer comes', async () => {
  await withServer((live) =>
    withServer(
      async (candidate) => {
        const on = connectionTo(candidate);
        await withOwnSession(connectionTo(live), 'test', (from) =>
          withOwnSession(on, 'test', async (to) => {
            for (const each of [from, to]) {
              await ensureControlSchema(each);
              await each.query('CREATE TABLE public.account (id int PRIMARY KEY)');
            }
            await ensureReplicationRole(from, undefined);
            await publish(from, name, [{ table: { schema: 'public', name: 'account' } }]);
            await createSlot(from, name, 10_000);
            await grantApply(to);
            await subscribe(to, name, `host=${live.sockets} port=${live.port}`, 'postgres');
            await enableStream(to, name);
            await from.query('INSERT INTO public.account VALUES (1)');
            await crossBarrier(from, to, name, 20_000, undefined, 7);
            await stopServer(live, 'immediate');
            await stopServer(candidate, 'immediate');
          }),
        );
        await startServer(candidate);
        await withOwnSession(on, 'test', async (again) => {
          expect(await rows(again, 'SELECT id FROM public.account')).toEqual([{ id: 1 }]);
          expect(await markerOf(again, sealOf(name))).toBe('7');
        });
      },
      { wal_writer_delay: '10s', wal_writer_flush_after: '1GB' },
    ),
  );
});
