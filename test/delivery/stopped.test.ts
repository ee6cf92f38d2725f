import { expect, test } from 'vitest';
import { follow } from '../../src/delivery/follow.ts';
import { holdDelivery, resumeDelivery } from '../../src/delivery/persons.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { messageOf, type HookEvent } from '../../src/operations/hooks/event.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { withEnvironment } from '../support/environment.ts';
import { failure } from '../support/failure.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';
import { indexDropped, recordOf, slowStatement, walkOf } from './support.ts';

test('a candidate whose migration dropped an index is stopped by analysis: the readers go back, the live colour is untouched, a person goes on', async () => {
  // Nobody listens there: what is to be told stays to be looked at.
  const chat = { failed: ['analysis'], limit: '1s', http: { url: `http://127.0.0.1:${await freePort()}` } };
  await withEnvironment(
    { ...indexDropped, declaration: { hooks: { chat } }, settings: { shared_preload_libraries: 'pg_stat_statements' } },
    async (test) => {
      // Statements with parameters are planned from PostgreSQL 16 on.
      const often = { interval: '200ms', count: 1 };
      const { environment, parts } = await walkOf(test, {
        steps: ['seed', 'migrate', 'verify', 'canary 50 %', 'analysis', 'switch'],
        metrics: {
          latency: { ready: 'latency', ...often, samples: 60, statements: [slowStatement] },
          plans: { ready: 'plans', ...often },
        },
      });
      const { verdict } = await test.clients(async () => {
        await test.on('blue', (client) => client.query('CREATE EXTENSION pg_stat_statements'));
        await test.on('blue', (client) => client.query(`SET ROLE shop_app; ${slowStatement}`));
        const stopped = await failure(follow(parts, {}));
        expect(stopped).toMatchObject({ id: 'delivery-waits' });
        expect(stopped.seen).toMatch(/latency: SELECT .+ takes .+ ms on the candidate and .+ on the live colour/);
      });
      expect(verdict).toMatchObject(good);
      expect(await readStatus(environment, test.platform)).toMatchObject({
        state: 'canary',
        live: 'blue',
        traffic: { live: 'blue', canary: 0 },
        delivery: {
          stopped: { step: 'analysis', follow: 'wait' },
          verdicts: [
            {
              verdict: 'failure',
              metrics: { latency: { failure: 1 }, plans: testMajor >= 16 ? { failure: 1 } : { inconclusive: 1 } },
            },
          ],
        },
      });

      const { outbox = [] } = await readJournal(test.platform.journal);
      expect(outbox.map(({ hook }) => hook)).toEqual(['chat']);
      expect(messageOf(outbox[0]?.event as unknown as HookEvent)).toMatch(
        /^:red_circle: shop, release 1 to 2: analysis failed\. latency: SELECT .+ takes .+ Next: see `verdigris status`/,
      );

      // Whoever resumes has it measured again, with readers; whoever holds it has nothing done.
      await resumeDelivery(parts);
      const resumed = await recordOf(test);
      expect(resumed).toMatchObject({ step: { text: 'canary 50 %' } });
      expect(resumed).not.toHaveProperty('stopped');
      await holdDelivery(parts, 'we look first');
      expect((await failure(follow(parts, {}))).seen).toContain('has taken the release over by `hold`');

      // A person's own verb: its end is the release's, and it is not begun again by itself.
      await test.verb('abandon');
      expect(await recordOf(test)).toMatchObject({ taken: { what: 'hold' }, ended: { outcome: 'abandoned' } });
      expect(await failure(follow(parts, {}))).toMatchObject({ id: 'delivery-stopped' });
      expect(await readJournal(test.platform.journal)).toMatchObject({ state: 'single', live: 'blue' });
    },
  );
});
