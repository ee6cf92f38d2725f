import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { withClient } from '../../src/postgres/session.ts';
import { Environment } from '../../src/pulumi/components/environment.ts';
import { orderInWaves } from '../../src/pulumi/components/waves.ts';
import { withNamespace } from './support/namespace.ts';
import { openStack, outputs, prepared, small, withBackend } from './support/stack.ts';

const waves = [{ environments: ['canary'] }, { environments: ['tenant'] }];
const names = ['tenant', 'canary'] as const;

test('one program releases a fleet: the canary first, nothing of the others where it fails, and the next up goes on where it stopped', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withBackend(async (folder) => {
      let release: Record<string, unknown> = {};
      const declaration = (name: string) => small(namespace, name, release);
      const within = async <T>(name: string, use: (platform: KubernetesPlatform) => Promise<T>): Promise<T> => {
        const platform = new KubernetesPlatform(parseEnvironment(declaration(name), 'the test'), admin.again());
        try {
          return await use(platform);
        } finally {
          await platform.close();
        }
      };
      const states = async () =>
        Object.fromEntries(
          await Promise.all(
            names.map(async (name) => {
              const { state, live } = await within(name, ({ journal }) => readJournal(journal));
              return [name, `${state}, ${live} live`] as const;
            }),
          ),
        );
      const stack = await openStack(folder, 'dev', () => {
        const made = new Map<string, Environment>();
        for (const [name, before] of orderInWaves(names, waves)) {
          const after = before.flatMap((each) => made.get(each) ?? []);
          made.set(name, new Environment(name, { declaration: declaration(name), after }));
        }
        return Promise.resolve(Object.fromEntries([...made].map(([name, each]) => [name, outputs(each)])));
      });
      const inCanary = (sql: string) =>
        within('canary', async ({ servers }) =>
          withClient({ ...(await servers.connection('blue')), database: 'shop' }, 'test', (client) =>
            client.query(sql),
          ),
        );
      await stack.up({ parallel: 10 });
      await inCanary('CREATE TABLE unfit (id int); INSERT INTO unfit VALUES (1)');

      release = { colours: prepared, live: 'green' };
      await expect(stack.up({ parallel: 10 })).rejects.toThrow('unfit');
      expect(await states()).toEqual({ canary: 'single, blue live', tenant: 'single, blue live' });

      await inCanary('ALTER TABLE unfit ADD PRIMARY KEY (id)');
      await stack.up({ parallel: 10 });
      expect(await states()).toEqual({ canary: 'switched, green live', tenant: 'switched, green live' });
      expect((await stack.up({ parallel: 10 })).summary.resourceChanges).toEqual({ same: 1 + 2 * 5 });
    });
  });
}, 1_200_000);
