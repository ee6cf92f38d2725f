import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { good } from '../support/verdict.ts';
import { served, withBench } from './support.ts';
import { until } from '../support/until.ts';
import { untilStopped } from './operators.ts';

/** The backend of the operator's connection to a colour stops, as one behind a half-open connection would. */
async function stopBackend(bench: Parameters<Parameters<typeof withBench>[1]>[0], colour: 'blue' | 'green') {
  const [backend] = await bench.on(colour, (client) =>
    rows<{ pid: number }>(
      client,
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'verdigris/operator' AND backend_type = 'client backend'",
    ),
  );
  if (!backend) throw new Error('the operator has no connection');
  process.kill(backend.pid, 'SIGSTOP');
  return () => process.kill(backend.pid, 'SIGCONT');
}

test('a connection that hangs behind the commit point is given up: the step is repeated with a new one, and clients go on', async () => {
  await withBench({ limits: { switchover: '4s' }, deadman: false }, async (bench) => {
    const { verdict } = await bench.exercise(async (workload) => {
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      const operator = await bench.operators.start('switch', { stopAt: { step: 'advance-reverse', status: 'done' } });
      await untilStopped(operator, 60_000);
      const wake = await stopBackend(bench, 'green');
      try {
        const from = performance.now();
        process.kill(operator.pid, 'SIGCONT');
        await until(
          'the clients let go',
          async () => (await bench.platform.traffic.status()).held === undefined,
          20_000,
        );
        expect(performance.now() - from).toBeGreaterThan(3_500);
        await served(workload);
        expect(await operator.ended).toEqual({ how: 'done' });
      } finally {
        wake();
      }
      await bench.settled({ state: 'switched', live: 'green' });
    });
    expect(verdict).toMatchObject(good);
  });
});
