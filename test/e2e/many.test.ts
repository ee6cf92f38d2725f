import { expect, test } from 'vitest';
import { Environment } from '../../src/pulumi/components/environment.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNamespace } from './support/namespace.ts';
import { openStack, outputs, small, withBackend } from './support/stack.ts';

const ten = Array.from({ length: 10 }, (_, index) => `shop${index}`);

/** Environments that one update works on at the same time; each waits mostly. */
const parallel = 5;

test("ten environments in one program are made side by side, one of them from another's snapshot, and a second up is none", async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withBackend(async (folder) => {
      let names: readonly string[] = ten.slice(0, 1);
      // The last one begins as the first one is, masked.
      const declaration = (name: string) =>
        small(
          namespace,
          name,
          name === 'shop9'
            ? {
                kubernetes: {
                  from: { environment: 'shop0', mask: { sql: "UPDATE person SET mail = 'masked ' || mail" } },
                },
              }
            : {},
        );
      const on = async <T>(name: string, use: (client: Client) => Promise<T>): Promise<T> => {
        const platform = new KubernetesPlatform(parseEnvironment(declaration(name), 'the test'), admin.again());
        try {
          return await withClient({ ...(await platform.servers.connection('blue')), database: 'shop' }, 'test', use);
        } finally {
          await platform.close();
        }
      };
      const stack = await openStack(folder, 'dev', () =>
        Promise.resolve(
          Object.fromEntries(
            names.map((name) => [name, outputs(new Environment(name, { declaration: declaration(name) }))]),
          ),
        ),
      );
      const timed = async (): Promise<number> => {
        const began = Date.now();
        await stack.up({ parallel });
        return Math.round((Date.now() - began) / 1000);
      };
      const one = await timed();
      await on('shop0', (client) =>
        client.query("CREATE TABLE person (mail text); INSERT INTO person VALUES ('a@example.com')"),
      );
      names = ten;
      const nine = await timed();
      console.log(`one environment took ${one} s; nine more, ${parallel} at a time, ${nine} s`);
      const seen = await stack.outputs();
      expect(ten.map((name) => (seen[name]?.value as { state?: string }).state)).toEqual(ten.map(() => 'single'));
      expect([
        await on('shop0', (client) => rows(client, 'SELECT mail FROM person')),
        await on('shop9', (client) => rows(client, 'SELECT mail FROM person')),
      ]).toEqual([[{ mail: 'a@example.com' }], [{ mail: 'masked a@example.com' }]]);
      // Each has its own servers, Secrets and addresses.
      expect((await admin.list('StatefulSet', {})).map(({ metadata }) => metadata.name)).toEqual(
        ten.map((name) => `${name}-blue`),
      );
      expect(new Set(ten.map((name) => (seen[name]?.value as { addresses: { rw: string } }).addresses.rw)).size).toBe(
        10,
      );
      expect(await admin.list('VolumeSnapshot', {})).toEqual([]);
      expect((await stack.up({ parallel })).summary.resourceChanges).toEqual({ same: 1 + 10 * 5 });
    });
  });
}, 1_200_000);
