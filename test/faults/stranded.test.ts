import { rename, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { good } from '../support/verdict.ts';
import { untilStopped } from './operators.ts';
import { killServer, nothing, served, withBench, type FaultBench } from './support.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';

const timeout = 600_000;

/** A switch that sleeps at a step while blue dies, and with it its disk: to where `away` says, or for good. */
async function blueDiesAt(
  bench: FaultBench,
  stopAt: { readonly step: string; readonly status: 'started' | 'done' },
  away?: string,
) {
  const operator = await bench.operators.start('switch', { stopAt });
  await untilStopped(operator, 60_000);
  await killServer(bench, 'blue');
  const folder = bench.platform.places.server('blue', 1);
  if (away === undefined) await rm(folder, { recursive: true });
  else await rename(folder, away);
  return operator;
}

const settled = (bench: FaultBench) =>
  until(
    'the operation settled',
    async () =>
      (await bench.journal()).operation === null && (await bench.platform.traffic.status()).held === undefined,
    90_000,
  );

for (const operatorSurvives of [true, false]) {
  const who = operatorSurvives ? 'the operator' : "the dead man's limit";
  test(
    `fault 27: blue and its disk are gone behind the barrier: green holds all of it, and ${who} goes forward`,
    { timeout },
    async () => {
      await withBench({ deadman: !operatorSurvives }, async (bench) => {
        const { verdict } = await bench.exercise(async (workload) => {
          for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
          const operator = await blueDiesAt(bench, { step: 'barrier', status: 'done' });
          process.kill(operator.pid, operatorSurvives ? 'SIGCONT' : 'SIGKILL');
          expect(await operator.ended).toEqual({ how: operatorSurvives ? 'done' : 'killed' });
          await settled(bench);
          await bench.settled({ state: 'switched', live: 'green' });
          await served(workload);
          expect(await readStatus(bench.environment, bench.platform)).toMatchObject({ losslessRollback: false });
          await bench.harvest();
          await bench.verb('retire');
          await served(workload);
        });
        expect(verdict).toMatchObject(good);
        await bench.settled({ state: 'single', live: 'green', release: null });
        expect(await bench.leftovers()).toEqual(nothing);
      });
    },
  );
}

test(
  'fault 27: blue is gone behind the fence, before its last write arrived: nobody is let in until blue is back; then it is undone',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const away = `${bench.folder}/away`;
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        const operator = await blueDiesAt(bench, { step: 'barrier', status: 'started' }, away);
        process.kill(operator.pid, 'SIGKILL');
        await operator.ended;
        expect(await failure(bench.recover())).toMatchObject({
          id: expect.stringMatching(/^(server-start|lease-held)$/) as unknown,
        });
        expect((await bench.platform.traffic.status()).held).toBeDefined();
        expect(await bench.journal()).toMatchObject({ state: 'verified', live: 'blue' });
        await rename(away, bench.platform.places.server('blue', 1));
        await settled(bench);
        await bench.settled({ state: 'verified', live: 'blue' });
        await served(workload);
        await bench.verb('abandon');
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'faults 24, 30: a lossy rollback from a green that is gone for good is cut short: it can be tried again, and goes back',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
      await killServer(bench, 'green');
      await rm(bench.platform.places.server('green', (await bench.journal()).generation), { recursive: true });
      expect(
        await bench.operators.run('rollback', { options: { lossy: true, acceptLoss: true }, dieAfter: 'fence' }),
      ).toEqual({ how: 'killed' });
      await bench.recover();
      await bench.settled({ state: 'switched', live: 'green' });
      await bench.verb('rollback', { lossy: true, acceptLoss: true });
      await bench.settled({ state: 'single', live: 'blue' });
      expect(await bench.leftovers()).toEqual(nothing);
      const { verdict } = await bench.exercise(async (workload) => served(workload));
      expect(verdict).toMatchObject(good);
    });
  },
);

test(
  'fault 24: green crashes behind its fence in a lossy rollback that is cut short, and comes back later: the next command opens it',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
      const { generation } = await bench.journal();
      expect(
        await bench.operators.run('rollback', { options: { lossy: true, acceptLoss: true }, dieAfter: 'fence' }),
      ).toEqual({ how: 'killed' });
      await killServer(bench, 'green');
      const [folder, away] = [bench.platform.places.server('green', generation), `${bench.folder}/away`];
      await rename(folder, away);
      await bench.recover();
      await bench.settled({ state: 'switched', live: 'green' });
      await rename(away, folder);
      await bench.platform.servers.start('green');
      await bench.recover();
      const { verdict } = await bench.exercise(async (workload) => served(workload));
      expect(verdict).toMatchObject(good);
      await bench.verb('retire');
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
