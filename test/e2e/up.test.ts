import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { withNamespace } from './support/namespace.ts';
import { secretsIn, secretsOf } from './support/no-secret.ts';
import { ours, prepared, small, withStack } from './support/stack.ts';

test('up makes an environment, a second up is none, and changing the live colour is the release; back it is the rollback', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declared = (over: Record<string, unknown> = {}) => small(namespace, 'shop', over);
    const platform = new KubernetesPlatform(parseEnvironment(declared(), 'the test'), admin);
    const state = async () => {
      const { state: is, live, operation } = await readJournal(platform.journal);
      return { state: is, live, operation };
    };
    await withStack(async (stack, declare) => {
      declare(declared());
      const made = await stack.up();
      expect(made.outputs['state']?.value).toBe('single');
      expect(made.outputs['address']?.value).toBe(`shop-pooler.${namespace}.svc:5432`);
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });

      declare(declared({ colours: prepared }));
      const first = await stack.preview();
      expect(first.stdout).toContain('seed (single → seeded)');
      expect(first.stdout).toContain(
        'Nothing blocks seed now. The gates of the later steps are judged when their turn comes.',
      );
      expect((await stack.up()).outputs['state']?.value).toBe('verified');

      declare(declared({ colours: prepared, live: 'green' }));
      const switched = await stack.up();
      expect(switched.outputs).toMatchObject({
        live: { value: 'green' },
        state: { value: 'switched' },
        release: { value: '2' },
      });
      expect(switched.outputs['pauseMs']?.value).toBeGreaterThan(0);
      expect(await state()).toEqual({ state: 'switched', live: 'green', operation: null });
      expect((await platform.routes.current())?.selector).toBe('green');
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });

      declare(declared({ colours: prepared, live: 'blue' }));
      await stack.up();
      expect(await state()).toEqual({ state: 'migrated', live: 'blue', operation: null });

      const said = JSON.stringify(await stack.exportStack());
      const secrets = await secretsOf(admin);
      expect(secrets.length).toBeGreaterThan(5);
      expect(secretsIn(said, secrets)).toEqual([]);

      // Taking the colour out leaves the release.
      declare(declared());
      expect((await stack.preview()).stdout).toContain('abandon (migrated → single)');
      await stack.up();
      expect(await state()).toEqual({ state: 'single', live: 'blue', operation: null });
      expect((await admin.list('StatefulSet', ours)).map(({ metadata }) => metadata.name)).toEqual(['shop-blue']);
    });
    await platform.close();
  });
}, 1_800_000);
