import { execa } from 'execa';
import { expect, test } from 'vitest';
import { certificateNames, ownCertificate } from '../../src/manifests/certificates.ts';
import { objectNames } from '../../src/manifests/names.ts';
import { issue, newAuthority } from '../../src/platform/kubernetes/authority.ts';
import { secretValues } from '../../src/platform/kubernetes/secrets.ts';
import { rows } from '../../src/postgres/client.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { until } from '../support/until.ts';
import { answerOf } from './support/answer.ts';
import { clusterEnvironment } from './support/environment.ts';
import { productImage } from './support/image.ts';
import { withNamespace } from './support/namespace.ts';
import { pooler } from './support/declaration.ts';

const declared = (namespace: string, tls: object, images: object = {}, more: object = {}) => ({
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['shop_app'], readers: ['shop_reader'] },
  colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
  live: 'blue',
  limits: { snapshot: '5m' },
  kubernetes: {
    namespace,
    storage: '1GiB',
    images: { pooler, ...images },
    settings: { shared_buffers: '64MB' },
    pooler: { replicas: 1 },
    tls,
    ...more,
  },
});

test('a declared certificate that is not for every Service is refused before anything is made', async () => {
  await withNamespace({}, async (namespace) => {
    const made = issue(newAuthority('test'), [`shop-blue.${namespace.name}.svc`]);
    await namespace.admin.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-cert', namespace: namespace.name },
      stringData: made,
    });
    await expect(
      clusterEnvironment(namespace, declared(namespace.name, { secret: 'shop-cert' }), {}, () => Promise.resolve()),
    ).rejects.toMatchObject({
      id: 'cluster-unfit',
      seen: expect.stringContaining(`it is not for shop-pooler.${namespace.name}.svc`) as unknown,
    });
  });
});

test('with TLS declared nobody speaks in the clear, and a certificate is renewed under load', async () => {
  await withNamespace({}, async (namespace) => {
    const fill = (client: Parameters<typeof prepareWorkload>[0]) =>
      prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
    // With guards: each switchover has them log in everywhere, with the certificate that is mounted in them.
    const images = { verdigris: await productImage() };
    const more = { metrics: { enabled: true } };
    await clusterEnvironment(namespace, declared(namespace.name, {}, images, more), { fill }, async (shop) => {
      const { environment, platform, verb, on } = shop;
      const authority = (await secretValues(platform.cluster, objectNames.authority('shop'))) ?? {};
      const [certificate = '', key = ''] = [authority['ca.crt'], authority['ca.key']];
      const { ca = '' } = await platform.trust.of(platform.poolers.host);
      const { data } = (await platform.cluster.read('ConfigMap', objectNames.authority('shop'))) as unknown as {
        data: Record<string, string>;
      };
      expect(data).toEqual({ 'ca.crt': certificate });
      const service = async (name: string) =>
        ((await platform.cluster.read('Service', name)) as unknown as { spec: { clusterIP: string } }).spec.clusterIP;
      const { password = '', uri } =
        (await secretValues(platform.cluster, objectNames.roleSecret('shop', 'shop_app'))) ?? {};
      expect(uri).toMatch(/@shop-pooler\.\S+\.svc:5432\/shop\?sslmode=verify-full$/);
      const env = { PGUSER: 'shop_app', PGDATABASE: 'shop', PGPASSWORD: password };
      const psql = async (name: string, mode: string, host = `${name}.${namespace.name}.svc`) => {
        const where = `host=${host} hostaddr=${await service(name)} sslmode=${mode} sslrootcert=${ca}`;
        return (await execa('psql', ['-XAtqc', 'SELECT 1', where], { env })).stdout;
      };
      const shown = async (): Promise<string> => {
        const { stdout } = await execa(
          'openssl',
          ['s_client', '-starttls', 'postgres', '-connect', `${await service('shop-pooler')}:5432`],
          { input: '', reject: false },
        );
        return /-----BEGIN[\s\S]+?END CERTIFICATE-----/.exec(stdout)?.[0] ?? '';
      };
      expect(await until('the Service', () => psql('shop-pooler', 'verify-full').catch(() => undefined), 60_000)).toBe(
        '1',
      );
      expect(await psql('shop-rw', 'verify-full')).toBe('1');
      // By the certificate that is mounted: its Role does not read the Secret with the key.
      const metrics = await service('shop-metrics');
      const scrape = () => answerOf(`http://${metrics}:9464/metrics`);
      const up = /^verdigris_colour_up\{colour="blue",role="live",environment="shop"\} 1$/m;
      await until('metrics by TLS', async () => up.test(await scrape().catch(() => '')), 300_000);
      expect(await scrape()).toMatch(/^verdigris_database_bytes\{/m);
      // The poolers' consoles too, by who may only look.
      expect(await scrape()).toMatch(/^verdigris_path_up\{environment="shop"\} 1$/m);
      expect(await scrape()).toMatch(/^verdigris_hold_age_seconds\{environment="shop"\} 0$/m);
      await expect(psql('shop-pooler', 'verify-full', 'elsewhere')).rejects.toThrow(/does not match host name/);
      await expect(psql('shop-pooler', 'disable')).rejects.toThrow(/SSL required/);
      await expect(psql('shop-rw', 'disable')).rejects.toThrow(/no encryption/);

      const plain = `SELECT usename, application_name FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
        WHERE NOT s.ssl AND a.client_addr IS NOT NULL`;
      const before = (await secretValues(platform.cluster, objectNames.certificate('shop'))) ?? {};
      const exercise = await shop.clients(async () => {
        for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
        expect(await on('blue', (client) => rows(client, plain))).toEqual([]);
        await platform.cluster.apply(
          ownCertificate(environment, issue({ certificate, key }, certificateNames(environment))),
        );
        await verb('switch');
        await until(
          'the renewed certificate is offered',
          async () => (await shown()) !== (before['tls.crt'] ?? '').trim(),
          180_000,
        );
      });
      expect(exercise.verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
      expect(await on('green', (client) => rows(client, plain))).toEqual([]);
      expect(
        await on('blue', (client) =>
          rows(client, "SELECT subconninfo LIKE '%sslmode=verify-full%' AS checked FROM pg_subscription"),
        ),
      ).toEqual([{ checked: true }]);
      expect(await psql('shop-pooler', 'verify-full')).toBe('1');
      await verb('rollback');
    });
  });
});
