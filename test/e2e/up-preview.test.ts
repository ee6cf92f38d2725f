import * as pulumi from '@pulumi/pulumi';
import { expect, test } from 'vitest';
import { clientSecrets } from '../../src/manifests/addresses.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNamespace } from './support/namespace.ts';
import { openStack, prepared, small, trafficState, versions, withStack } from './support/stack.ts';

/**
 * Who of Verdigris came to the live colour meanwhile, besides the one who looks. What PgBouncer keeps was opened
 * before.
 */
async function sessionsDuring<T>(platform: KubernetesPlatform, work: () => Promise<T>): Promise<[T, string[]]> {
  const seen = new Set<string>();
  let over = false;
  const looking = withClient(
    { ...(await platform.servers.connection('blue')), database: 'shop' },
    'test',
    async (client) => {
      const [begun] = await rows<{ at: string }>(client, 'SELECT clock_timestamp()::text AS at');
      while (!over) {
        for (const { name } of await rows<{ name: string }>(
          client,
          "SELECT application_name AS name FROM pg_stat_activity WHERE application_name LIKE 'verdigris/%' AND pid <> pg_backend_pid() AND backend_start > $1",
          [begun?.at],
        ))
          seen.add(name);
        await client.query('SELECT pg_sleep(0.01)');
      }
    },
  );
  const result = await work().finally(() => (over = true));
  await looking;
  return [result, [...seen]];
}

test('another stack reads where to connect; a preview changes nothing; what somebody changed by hand is seen by a refresh and put right', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declared = (over: Record<string, unknown> = {}) => small(namespace, 'shop', over);
    const environment = parseEnvironment(declared(), 'the test');
    const platform = new KubernetesPlatform(environment, admin);
    const sql = async (query: string): Promise<void> =>
      withClient(
        { ...(await platform.servers.connection('blue')), database: 'shop' },
        'test',
        async (client) => void (await client.query(query)),
      );
    await withStack(async (stack, declare, folder) => {
      declare(declared({ colours: prepared }));
      expect((await stack.up()).outputs['state']?.value).toBe('verified');

      const reader = await openStack(folder, 'reader', () => {
        const shop = new pulumi.StackReference('organization/verdigris-test/dev');
        return Promise.resolve({
          rw: shop.requireOutput('addresses').apply(({ rw }: { rw: string }) => rw),
          secret: shop.requireOutput('secrets'),
          live: shop.requireOutput('live'),
        });
      });
      const read = (await reader.up()).outputs;
      expect(read).toMatchObject({
        rw: { value: `postgresql://shop-pooler.${namespace}.svc:5432/shop` },
        secret: { value: clientSecrets(environment) },
        live: { value: 'blue' },
      });
      const secret = await admin.read<Stored & { data: Record<string, string> }>(
        'Secret',
        (read['secret']?.value as Record<string, string>)['shop_app'] ?? '',
      );
      expect(Object.keys(secret?.data ?? {})).toEqual(expect.arrayContaining(['username', 'password', 'uri']));

      // A preview changes no object, and what it opens cannot write.
      declare(declared({ colours: prepared, live: 'green' }));
      const before = await versions(admin);
      await sql('CREATE TABLE ddl_during_a_release (a int)');
      const [preview, sessions] = await sessionsDuring(platform, () => stack.preview({ diff: true }));
      expect(sessions).toEqual(['verdigris/preview']);
      const said = `${preview.stdout}${preview.stderr}`;
      expect(preview.changeSummary).toEqual({ same: 5, update: 1 });
      expect(preview.stdout).toMatch(/live\s*: "blue" => "green"/);
      expect(said).toContain('switch (verified → switched)');
      expect(said).toContain('switch is blocked by ');
      expect(said).toContain('schema-drift');
      expect(said).toContain('Clients will be paused once, for at most');
      expect(await versions(admin)).toEqual(before);
      await sql('DROP TABLE ddl_during_a_release');
      expect((await stack.preview()).stdout).toContain('Nothing blocks switch now.');

      // By hand: the writes are moved, and the live colour's StatefulSet is deleted. A refresh shows it, the next up
      // puts it right.
      declare(declared({ colours: prepared }));
      await admin.merge('Service', 'shop-rw', { spec: { selector: { 'verdigris.dev/colour': 'green' } } });
      await admin.delete('StatefulSet', 'shop-blue');
      await stack.refresh();
      expect(await trafficState(stack)).toMatchObject({
        live: 'green',
        drift: ['StatefulSet shop-blue is missing', 'Service shop-rw points to green, not to blue'],
      });
      const fixed = await stack.up();
      expect(fixed.stdout).toContain('corrected: StatefulSet shop-blue is missing');
      expect(await trafficState(stack)).not.toHaveProperty('drift');
      expect((await platform.routes.current())?.selector).toBe('blue');
      expect(await platform.servers.observe('blue')).toMatchObject({ running: true, generation: 1 });
      // What a refresh makes of plain objects is their provider's affair, and one of tests updates them again; a
      // release is not touched by it.
      await stack.refresh();
      const changed: string[] = [];
      await stack.up({
        onEvent: ({ resourcePreEvent }) =>
          void (
            resourcePreEvent &&
            resourcePreEvent.metadata.op !== 'same' &&
            changed.push(resourcePreEvent.metadata.type)
          ),
      });
      expect(changed.filter((type) => !type.startsWith('kubernetes:'))).toEqual([]);
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });
    });
    await platform.close();
  });
}, 1_800_000);
