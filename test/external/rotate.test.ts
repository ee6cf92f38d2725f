import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { asReader } from '../../src/postgres/readers.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { withHonestClients } from '../support/honest-client.ts';
import { testMajor } from '../support/postgres.ts';
import { rotateVerdigris } from '../support/rotate.ts';
import { good } from '../support/verdict.ts';

/** The newest that a pg_dump of the system reads. */
const liveMajor = 15;

const stepsOf = {
  operator: ['choose', 'servers', 'log in', 'publish'],
  replication: ['choose', 'servers', 'subscriptions', 'publish'],
} as const;

/** With this password and no other. */
async function letsIn({ others: _, ...settings }: ConnectionSettings): Promise<boolean> {
  return withOwnSession(settings, 'test', () => Promise.resolve(true)).catch(() => false);
}

test("Verdigris's own passwords change beside clients, killed at every step: everybody gets in, and the old ones end", async () => {
  await withExternalServer(liveMajor, async (theirs) => {
    await fillShop(theirs);
    const declaration = {
      colours: {
        blue: { release: '1', postgres: liveMajor, server: declaredServer(theirs) },
        green: { release: '2', postgres: testMajor, server: { kind: 'local', host: '127.0.0.2' } },
      },
      local: { passwords: declaredPasswords },
    };
    await withEnvironment({ declaration, existing: credentials }, async (environment) => {
      const { verb, clients, platform, on } = environment;
      const { own } = platform.credentials;
      expect(await own.names()).toEqual(['operator', 'replication']);
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      const first = await platform.servers.connection('blue');
      const sources = () => on('green', (client) => rows(client, 'SELECT subconninfo FROM pg_subscription'));
      const [source] = await sources();
      const { verdict } = await clients(async () => {
        const { failed, logins } = await withHonestClients(platform, ['shop_app', 'shop_reader'], async () => {
          for (const name of ['operator', 'replication'] as const)
            for (const step of stepsOf[name])
              for (const status of ['started', 'done']) {
                await expect(rotateVerdigris(environment, name, `${step} verdigris_${name} ${status}`)).rejects.toThrow(
                  'killed',
                );
                const { next } = await own.read(name);
                await on('blue', (client) => client.query('SELECT'));
                await rotateVerdigris(environment, name);
                expect((await own.read(name)).next).toBeUndefined();
                if (next !== undefined) expect((await own.read(name)).current).toBe(next);
              }
          // What was cut short is ended by whatever command comes next.
          await expect(
            rotateVerdigris(environment, 'replication', 'servers verdigris_replication done'),
          ).rejects.toThrow('killed');
          for (const each of ['switch', 'rollback', 'verify'] as const) await verb(each);
        });
        expect(failed).toEqual([]);
        expect(logins).toBeGreaterThan(50);
      });
      expect(verdict).toMatchObject(good);
      expect(await sources()).not.toEqual([source]);
      expect((await own.read('replication')).next).toBeUndefined();
      expect(await letsIn(first)).toBe(false);
      expect(await letsIn(asReader(first))).toBe(false);
      // As a copy from before comes back with: the first session that is let in changes it.
      await withOwnSession(theirs.superuser, 'test', (client) =>
        client.query(`ALTER ROLE verdigris_operator PASSWORD '${first.password ?? ''}'`),
      );
      await on('blue', (client) => client.query('SELECT'));
      expect(await letsIn(first)).toBe(false);
      expect(await letsIn(await platform.servers.connection('blue'))).toBe(true);
      expect(await letsIn(await platform.servers.readerConnection('blue'))).toBe(true);
    });
  });
});
