import { chown, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { other, type Colour } from '../../src/model/colours.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { withClient } from '../../src/postgres/session.ts';
import { routerFiles, type RouterSettings } from '../../src/router/config.ts';
import { certificate } from '../support/certificates.ts';
import { withExternalServer, type ExternalFixture } from '../support/external.ts';
import { inFolder, testMajor } from '../support/postgres.ts';
import { TestRouter, writer, type Pair } from '../support/router.ts';
import { until } from '../support/until.ts';

/** Has a server ask for passwords so. */
async function asking({ data, superuser, ctl }: ExternalFixture, method: string): Promise<void> {
  const file = path.join(data, 'pg_hba.conf');
  const before = await readFile(file, 'utf8');
  await writeFile(file, `${method === 'cert' ? 'hostssl' : 'host'} all ${writer.user} all ${method}\n${before}`);
  await withClient({ ...superuser, database: 'postgres' }, 'test', async (client) => {
    await client.query(`SET password_encryption = '${method === 'md5' ? 'md5' : 'scram-sha-256'}'`);
    await client.query(`ALTER ROLE ${writer.user} PASSWORD '${writer.password}'`);
  });
  await ctl('reload');
}

test('a session is carried over in whatever way a server asks for its password; itself it goes only to one that has proved who it is', async () => {
  await inFolder(async (folder) => {
    const [cert, key] = [path.join(folder, 'crt'), path.join(folder, 'key')];
    const account = await serverAccount();
    await certificate('localhost', { cert, key });
    if (account) await chown(key, account.uid, account.gid);
    const tls = { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, ssl_ca_file: cert };
    const named = (name: Colour, use: (server: ExternalFixture) => Promise<void>) =>
      withExternalServer(
        testMajor,
        async (server) => {
          await withClient({ ...server.superuser, database: 'postgres' }, 'test', async (client) => {
            await client.query('CREATE DATABASE shop');
            await client.query(`CREATE ROLE ${writer.user} LOGIN`);
          });
          await use(server);
        },
        { ...tls, cluster_name: name },
      );
    await named('blue', (blue) =>
      named('green', async (green) => {
        const way = { host: 'localhost', tls: { mode: 'verify-full', ca: cert } } as const;
        const at = ({ port }: ExternalFixture, verified: boolean) =>
          verified ? { ...way, port } : { host: '127.0.0.1', port };
        const carried = async (method: string, verified: boolean): Promise<string> => {
          await asking(green, method);
          const upstreams = { blue: at(blue, verified), green: at(green, verified) };
          const settings: Partial<RouterSettings> = { upstreams, limits: { attachMs: 3_000 } };
          await using router = await TestRouter.start({ upstream: () => ({ port: 0 }) } as unknown as Pair, settings);
          await writeFile(routerFiles(router.folder).passwords, JSON.stringify({ [writer.user]: writer.password }));
          const client = await router.connect(writer);
          const seen = async () =>
            (await client.query<{ cluster_name: string }>('SHOW cluster_name')).rows[0]?.cluster_name ?? '';
          expect(await seen()).toBe('blue');
          await router.control.route(1, other('blue'), { blue: 0, green: 100 });
          const found = await seen().catch((error: Error) => error.message);
          await client.end().catch(() => undefined);
          return found;
        };
        await asking(blue, 'scram-sha-256');
        await until('blue lets in', async () => {
          const own = { ...blue.superuser, ...writer, database: 'shop' };
          return withClient(own, 'test', () => Promise.resolve(true)).catch(() => false);
        });
        expect(await carried('scram-sha-256', false)).toBe('green');
        expect(await carried('md5', false)).toBe('green');
        expect(await carried('password', true)).toBe('green');
        expect(await carried('password', false)).toContain('sent only where sslmode is verify-full or verify-ca');
        expect(await carried('cert', true)).toContain('valid client certificate');
      }),
    );
  });
});
