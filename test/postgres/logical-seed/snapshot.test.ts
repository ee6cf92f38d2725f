import { expect, test } from 'vitest';
import { rows } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import type { Context } from '../../../src/operations/engine/context.ts';
import { seedLogically } from '../../../src/operations/verbs/seed-logically.ts';
import { findPgDump } from '../../../src/postgres/logical-seed/program.ts';
import { seedFromSnapshot } from '../../../src/postgres/logical-seed/snapshot.ts';
import { enableStream, subscribe, unsubscribe } from '../../../src/postgres/stream/subscription.ts';
import { publish, unpublish } from '../../../src/postgres/stream/publication.ts';
import { connectionTo } from '../../support/postgres.ts';
import { dumped, expectSame, killedAt, pgDump, stream, underLoad, withWorld } from './world.ts';

test.runIf(pgDump !== '')(
  'a seed from one snapshot that is killed among rows and among indexes is gone on with, and the candidate holds schema and rows exactly, under load',
  async () => {
    await withWorld([15, 15], async (world) => {
      const { live, candidate, origin } = world;
      await publish(
        origin,
        stream,
        (await readTables(origin)).map((table) => ({ table })),
      );
      const seed = {
        live: connectionTo(live, 'shop'),
        candidate: connectionTo(candidate, 'shop'),
        ...{ stream, pgDump, workers: 2, busy: 50, slotLimit: 20_000 },
      };
      const whole = { ...seed, signal: new AbortController().signal, onProgress: () => undefined };
      await underLoad(live, async () => {
        await killedAt({ method: 'snapshot', ...seed }, /"bytes"/);
        await killedAt({ method: 'snapshot', ...seed }, /"indexes"/);
        const { position, horizonMs } = await seedFromSnapshot(whole);
        // The rows were copied by the one that was killed among indexes.
        expect(horizonMs).toBe(0);
        await withClient(connectionTo(candidate, 'shop'), 'test', async (copy) => {
          expect(await rows(copy, 'SELECT position, seeded FROM verdigris.seed')).toEqual([{ position, seeded: true }]);
          expect(await rows(copy, "SELECT nextval('ticket') > 100 AS further")).toEqual([{ further: true }]);
          await subscribe(copy, stream, world.conninfo, 'shop');
          await enableStream(copy, stream);
        });
        expect(await seedFromSnapshot(whole)).toMatchObject({ position });
      });
      await expectSame(world, (copy, original) => expect(copy).toEqual(original));
      await withClient(connectionTo(candidate, 'shop'), 'test', (copy) => unsubscribe(copy, stream));
      expect(await dumped(candidate)).toBe(await dumped(live));
      await unpublish(origin, stream);
    });
  },
);

test('a machine whose pg_dump is older than the live server, or that has none, is told which one to install', async () => {
  await expect(findPgDump(99, 99)).rejects.toMatchObject({ id: 'no-pg-dump', code: 'refused' });
  // By the gate of the seed, before anything is made.
  const servers = { observe: () => Promise.resolve({ major: 99 }) };
  const environment = { colours: { green: { postgres: 99 } } };
  const c = { live: 'blue', idle: 'green', environment, platform: { servers } } as unknown as Context;
  await expect(seedLogically.validate(c)).rejects.toMatchObject({ id: 'no-pg-dump' });
});
