import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { follow } from '../../src/delivery/follow.ts';
import { approve } from '../../src/delivery/persons.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { freePort } from '../../src/platform/local/ports.ts';
import { withEnvironment } from '../support/environment.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { recordOf, walkOf } from './support.ts';

test('a release walks its steps under load with two controllers at once; another release is not approved; whom no message reached is told later', async () => {
  const [before, after] = [
    ['seed', 'migrate', 'verify', 'canary'],
    ['switch', 'retire'],
  ];
  const port = await freePort();
  const hooks = {
    chat: { before: ['approve'], after: [...before, ...after], limit: '1s', http: { url: `http://127.0.0.1:${port}` } },
  };
  await withEnvironment({ declaration: { hooks } }, async (test) => {
    const often = { interval: '200ms', count: 2 };
    const statements = ['SELECT count(*) FROM workload.account'];
    const { parts } = await walkOf(test, {
      steps: [
        ...['seed', 'migrate', 'verify', 'canary 50 %', 'pause 1s', 'analysis', 'approve', 'switch'],
        { step: 'watch 2s', metrics: ['lag', 'balance'] },
        'retire',
      ],
      metrics: {
        latency: { ready: 'latency', ...often, samples: 60, tolerance: 5, statements },
        errors: { ready: 'errors', ...often, samples: 60, statements },
        balance: { sql: { on: 'candidate', query: 'SELECT count(*) FROM workload.account' }, success: '= 8', ...often },
        ...Object.fromEntries(['lag', 'apply', 'connections', 'indexes'].map((ready) => [ready, { ready, ...often }])),
      },
    });
    const { verdict } = await test.clients(async () => {
      const both = Promise.all([follow(parts, {}), follow(parts, {})]);
      await until(
        'the step approve',
        async () => (await readJournal(test.platform.journal)).delivery?.step.text === 'approve',
        90_000,
      );
      expect(await failure(approve(parts, { digest: '0123456789abcdef' }))).toMatchObject({
        id: 'approval-other-release',
      });
      await approve(parts, { by: 'ann', reason: 'looks good' });
      await both;
    });
    expect(verdict).toMatchObject(good);
    const record = await recordOf(test);
    expect(record).toMatchObject({ ended: { outcome: 'released' }, approvals: [{ by: 'ann', reason: 'looks good' }] });
    expect(record.verdicts.map(({ step, verdict: each }) => [step, each])).toEqual([
      ['analysis', 'success'],
      ['watch 2s', 'success'],
    ]);
    expect(await readJournal(test.platform.journal)).toMatchObject({
      state: 'single',
      live: 'green',
      liveRelease: '2',
    });
    const [entry] = await test.platform.history.list();
    expect(entry).toMatchObject({
      outcome: 'released',
      delivery: { approvals: [{ by: 'ann' }], ended: { outcome: 'released' } },
    });
    expect(test.commits).toHaveLength(1);
    expect(await toldLater(port, () => withOperator(parts, 'test', () => Promise.resolve()))).toEqual([
      ...before,
      'approve',
      ...after,
    ]);
    // Blue is still declared with what was replaced: that is no release to begin.
    await follow(parts, {});
    expect(await readJournal(test.platform.journal)).toMatchObject({ state: 'single', live: 'green' });
  });
});

/** The verbs that whoever listens on this port is told of while something is run. */
async function toldLater(port: number, run: () => Promise<void>): Promise<string[]> {
  const told = new Map<string, string>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { id, data } = JSON.parse(body) as { id: string; data: { verb: string } };
      expect(told.has(id), id).toBe(false);
      told.set(id, data.verb);
      response.end();
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run();
    return [...told.values()];
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
