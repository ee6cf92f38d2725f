import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { clusterEnvironment } from './support/environment.ts';
import { withNamespace } from './support/namespace.ts';

/** A certificate for these names, of a new authority, as a Secret's data. */
async function certificate(names: readonly string[]): Promise<Record<string, string>> {
  const folder = await temporaryFolder();
  const ssl = (...args: string[]) => execa('openssl', args, { cwd: folder });
  try {
    await writeFile(path.join(folder, 'names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
    await ssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=test authority',
      '-days',
      '2',
    );
    await ssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'tls.key', '-out', 'csr', '-subj', '/CN=shop');
    await ssl(
      'x509',
      '-req',
      '-in',
      'csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      'tls.crt',
      '-days',
      '2',
      '-extfile',
      'names',
    );
    return Object.fromEntries(
      await Promise.all(
        ['tls.crt', 'tls.key', 'ca.crt'].map(
          async (file) => [file, await readFile(path.join(folder, file), 'utf8')] as const,
        ),
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('replication between the colours goes by TLS, each checked by its name; a certificate for others is refused', async () => {
  await withNamespace({}, async (namespace) => {
    const secret = async (names: readonly string[]) =>
      namespace.admin.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'shop-tls', namespace: namespace.name },
        stringData: await certificate(names),
      });
    const declared = {
      name: 'shop',
      platform: 'kubernetes',
      database: 'shop',
      roles: { application: ['shop_app'], readers: ['shop_reader'] },
      colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
      live: 'blue',
      limits: { snapshot: '5m' },
      kubernetes: {
        namespace: namespace.name,
        storage: '1GiB',
        images: { pooler: process.env['VERDIGRIS_TEST_POOLER'] ?? 'test/pgbouncer:1.24' },
        settings: { shared_buffers: '64MB' },
        pooler: { replicas: 1 },
        tls: { secret: 'shop-tls' },
      },
    };
    const fill = async (client: { query(sql: string): Promise<unknown> }): Promise<void> =>
      void (await client.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)'));
    await secret([`shop-blue.${namespace.name}.svc`]);
    await expect(clusterEnvironment(namespace, declared, { fill }, () => Promise.resolve())).rejects.toMatchObject({
      id: 'cluster-unfit',
      seen: expect.stringContaining(`it is not for shop-green.${namespace.name}.svc`) as unknown,
    });
    await secret([`shop-blue.${namespace.name}.svc`, `shop-green.${namespace.name}.svc`]);
    await clusterEnvironment(namespace, declared, { fill }, async ({ verb, on }) => {
      const senders =
        "SELECT s.ssl, a.usename AS who FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'verdigris_replication'";
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      expect(await on('blue', (client) => rows(client, senders))).toEqual([
        { ssl: true, who: 'verdigris_replication' },
      ]);
      await verb('switch');
      expect(await on('green', (client) => rows(client, senders))).toEqual([
        { ssl: true, who: 'verdigris_replication' },
      ]);
      expect(
        await on('blue', (client) =>
          rows(client, "SELECT subconninfo LIKE '%sslmode=verify-full%' AS checked FROM pg_subscription"),
        ),
      ).toEqual([{ checked: true }]);
    });
  });
});
