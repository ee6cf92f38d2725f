import * as pulumi from '@pulumi/pulumi';
import { expect, test } from 'vitest';
import { clientSecrets } from '../../src/components/manifests/addresses.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/ledger.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { rows, withClient } from '../../src/postgres/client.ts';
import { withNamespace } from './support/namespace.ts';
import { openStack, ours, small, trafficState, versions, withStack } from './support/stack.ts';

/** Who of Verdigris was on the live colour meanwhile, besides the one who looks. */
async function sessionsDuring<T>(platform: KubernetesPlatform, work: () => Promise<T>): Promise<[T, string[]]> {
  const seen = new Set<string>();
  let over = false;
  const looking = withClient({ ...(await platform.servers.connection('blue')), database: 'shop' }, 'test', async (client) => {
    while (!over) {
      for (const { name } of await rows<{ name: string }>(client, "SELECT application_name AS name FROM pg_stat_activity WHERE application_name LIKE 'verdigris/%' AND pid <> pg_backend_pid()")) seen.add(name);
      await client.query('SELECT pg_sleep(0.01)');
    }
  });
  const result = await work().finally(() => (over = true));
  await looking;
  return [result, [...seen]];
}

const green = { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } };

test('up makes an environment, a second up is none, and changing the live colour is the release', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declared = (over: Record<string, unknown> = {}) => small(namespace, 'shop', over);
    const platform = new KubernetesPlatform(parseEnvironment(declared(), 'the test'), admin);
    const state = async () => {
      const { state: is, live, operation } = await readJournal(platform.journal);
      return { state: is, live, operation };
    };
    const sql = async <T>(query: string): Promise<T[]> => withClient({ ...(await platform.servers.connection('blue')), database: 'shop' }, 'test', (client) => rows<T>(client, query));
    await withStack(async (stack, declare, folder) => {
      declare(declared());
      const made = await stack.up();
      expect(made.outputs['state']?.value).toBe('single');
      expect(made.outputs['address']?.value).toBe(`shop-pooler.${namespace}.svc:5432`);
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });

      // Another stack reads where to connect.
      const reader = await openStack(folder, 'reader', () => {
        const shop = new pulumi.StackReference('organization/verdigris-test/dev');
        return Promise.resolve({ rw: shop.requireOutput('addresses').apply(({ rw }: { rw: string }) => rw), secret: shop.requireOutput('secrets'), live: shop.requireOutput('live') });
      });
      const read = (await reader.up()).outputs;
      expect(read).toMatchObject({ rw: { value: `postgresql://shop-pooler.${namespace}.svc:5432/shop` }, secret: { value: clientSecrets(parseEnvironment(declared(), 'the test')) }, live: { value: 'blue' } });
      const secret = await admin.read<Stored & { data: Record<string, string> }>('Secret', (read['secret']?.value as Record<string, string>)['shop_app'] ?? '');
      expect(Object.keys(secret?.data ?? {})).toEqual(expect.arrayContaining(['username', 'password', 'uri']));

      declare(declared({ colours: green }));
      const first = await stack.preview();
      expect(first.stdout).toContain('single → seeded: seed');
      expect(first.stdout).toContain('The gate of seed is open now. The later ones are judged when it comes to them.');
      expect((await stack.up()).outputs['state']?.value).toBe('verified');

      // A preview changes no object, and what it opens cannot write.
      declare(declared({ colours: green, live: 'green' }));
      const before = await versions(admin);
      await sql('CREATE TABLE ddl_during_a_release (a int)');
      const [preview, sessions] = await sessionsDuring(platform, () => stack.preview({ diff: true }));
      expect(sessions).toEqual(['verdigris/preview']);
      const said = `${preview.stdout}${preview.stderr}`;
      expect(preview.changeSummary).toEqual({ same: 5, update: 1 });
      expect(preview.stdout).toMatch(/live\s*: "blue" => "green"/);
      expect(said).toContain('verified → switched: switch');
      expect(said).toContain('The gate of switch is closed');
      expect(said).toContain('schema-drift');
      expect(said).toContain('Clients wait once, for no longer than');
      expect(await versions(admin)).toEqual(before);
      await sql('DROP TABLE ddl_during_a_release');
      expect((await stack.preview()).stdout).toContain('The gate of switch is open now.');

      const switched = await stack.up();
      expect(switched.outputs).toMatchObject({ live: { value: 'green' }, state: { value: 'switched' }, release: { value: '2' } });
      expect(switched.outputs['lastPauseMs']?.value).toBeGreaterThan(0);
      expect(await state()).toEqual({ state: 'switched', live: 'green', operation: null });

      // By hand: the writes are moved, and the live colour's StatefulSet is deleted. A refresh shows it, the next up puts it right.
      await admin.merge('Service', 'shop-rw', { spec: { selector: { 'verdigris.dev/colour': 'blue' } } });
      await admin.delete('StatefulSet', 'shop-green');
      await stack.refresh();
      expect(await trafficState(stack)).toMatchObject({ live: 'blue', drift: ['StatefulSet shop-green is missing', 'Service shop-rw points to blue, not to green'] });
      const mended = await stack.up();
      expect(mended.stdout).toContain('put right: StatefulSet shop-green is missing');
      expect(await trafficState(stack)).not.toHaveProperty('drift');
      expect((await platform.routes.current())?.selector).toBe('green');
      expect(await platform.servers.observe('green')).toMatchObject({ running: true, generation: 2 });
      await stack.refresh();
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });

      declare(declared({ colours: green, live: 'blue' }));
      await stack.up();
      expect(await state()).toEqual({ state: 'migrated', live: 'blue', operation: null });

      // Taking the colour out leaves the release.
      declare(declared());
      expect((await stack.preview()).stdout).toContain('migrated → single: abandon');
      await stack.up();
      expect(await state()).toEqual({ state: 'single', live: 'blue', operation: null });
      expect((await admin.list('StatefulSet', ours)).map(({ metadata }) => metadata.name)).toEqual(['shop-blue']);
    });
    await platform.close();
  });
}, 1_800_000);
