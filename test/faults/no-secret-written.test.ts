import { expect, test } from 'vitest';
import { withOperator } from '../../src/operations/operator.ts';
import { drill } from '../../src/operations/proofs/drill.ts';
import { rotateRole } from '../../src/operations/verbs/rotate.ts';
import { withEnvironment } from '../support/environment.ts';
import { logged, SecretWatch, verifiersOf } from '../support/secret-watch.ts';

test(
  'with everything logged, no verb leaves a password or verifier in a log, journal, history, report or command line',
  { timeout: 900_000 },
  async () => {
    await withEnvironment(
      { settings: logged },
      async ({ environment, platform, verb, on, credentials, home, events }) => {
        const watch = new SecretWatch();
        for (const password of Object.values(credentials)) watch.secrets.add(password);
        const signal = new AbortController().signal;
        const parts = {
          environment,
          platform,
          signal,
          emit: (event: (typeof events)[number]) => void events.push(event),
        };
        const rotate = async (atOnce: boolean): Promise<void> => {
          for (const role of ['shop_app', 'shop_reader']) {
            await withOperator(parts, 'rotate', (c) => rotateRole(c, role, { atOnce, grace: 3_600_000 }));
            const { current } = (await platform.credentials.read(role)) ?? {};
            if (current) watch.secrets.add(current.password);
          }
        };
        await watch.during(async () => {
          for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
          await rotate(false);
          await verb('switch');
          await rotate(true);
          await verb('rollback');
          await verb('abandon');
          await drill(parts);
        });
        const verifiers = await on(environment.live, verifiersOf);
        expect(watch.secrets.size).toBe(6);
        expect(verifiers.length).toBeGreaterThanOrEqual(2);
        for (const verifier of verifiers) watch.secrets.add(verifier);
        const { logs, places } = await watch.found([home], [JSON.stringify(events)]);
        // The logs do say what was done.
        expect(logs).toContain('CREATE PUBLICATION');
        expect(places).toEqual([]);
      },
    );
  },
);
