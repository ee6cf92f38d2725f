import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tryTraffic } from '../../src/operations/proofs/try-traffic.ts';
import { Forwarder } from '../faults/forwarder.ts';
import { served, withBench } from '../faults/support.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials, withExternalServer } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { startFollowing, withOneAddress, type RunningRouter } from '../support/routers.ts';
import { testMajor } from '../support/postgres.ts';
import { thereAndBack } from '../support/there-and-back.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';

beforeAll(withNewestPgDump);

/** Clients of a router that is cut off or killed are told of that, and nothing else may be wrong. */
const { errors: _, ...kept } = good;

async function ending<T>(routers: readonly RunningRouter[], use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    for (const each of routers) {
      each.kill('SIGCONT');
      each.kill('SIGKILL');
    }
    await Promise.all(routers.map(({ ended }) => ended));
  }
}

test('two routers behind one address: there and back and there under load, nobody is told of an error', async () => {
  await betweenServers((between) =>
    withOneAddress(async ({ port, behind }) => {
      const traffic = { kind: 'routers', address: `127.0.0.1:${port}` };
      await withBench({ declaration: { ...between, traffic }, existing: credentials }, async (bench) => {
        const none = await failure(bench.operator(tryTraffic));
        expect(none.message).toContain('none has said anything lately');
        const routers = [
          await startFollowing(bench.declaration, bench.home, 'a'),
          await startFollowing(bench.declaration, bench.home, 'b'),
        ];
        await ending(routers, async () => {
          for (const each of routers) {
            await each.serves();
            behind.add(each.port);
          }
          const steps = await bench.operator(tryTraffic);
          expect(steps.map(({ asked }) => asked)).toContain('nobody is held');
          await thereAndBack(bench);
          // One that ends in order is none any more, at once.
          routers[0]?.kill('SIGTERM');
          await routers[0]?.ended;
          expect(await bench.operator(tryTraffic)).toHaveLength(steps.length);
        });
      });
    }),
  );
});
