import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { RouterControl } from '../../src/router/control.ts';
import { withAct } from '../adversary/trial.ts';
import { withEnvironment } from '../support/environment.ts';
import { good } from '../support/verdict.ts';

test('a path that somebody puts back behind the commit point is pointed again while the switchover runs, and it is said', async () => {
  await withEnvironment({}, async (environment) => {
    const { verb, clients, platform, events } = environment;
    const toBlue = async (): Promise<void> => {
      const { token, live } = await readJournal(platform.journal);
      expect(live).toBe('green');
      await new RouterControl(platform.places.router).route(token, 'blue', { blue: 100, green: 0 });
    };
    const said = () =>
      events.filter((event) => event.type === 'note' && event.text.endsWith('pointed to green again')).length;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const { verdict } = await clients(async (workload) => {
      await withAct(environment, 'switch', 'route', toBlue);
      expect(said()).toBe(1);
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
      await verb('rollback');
      await verb('verify');
      await withAct(environment, 'switch', 'resume', toBlue);
      expect(said()).toBe(2);
      expect(await platform.traffic.status()).toMatchObject({ live: 'green' });
    });
    expect(verdict).toMatchObject({ ...good, errors: expect.anything() as unknown });
  });
});
