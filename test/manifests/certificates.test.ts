import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { certificateNames, reloadOnRenewal } from '../../src/manifests/certificates.ts';
import { metricsManifests } from '../../src/manifests/metrics.ts';
import { objectNames } from '../../src/manifests/names.ts';
import { plannedObjects } from '../../src/manifests/planned.ts';
import { unborn } from '../../src/manifests/lives.ts';
import { poolerDeployment } from '../../src/manifests/pooler.ts';
import { poolerSettings } from '../../src/manifests/pooler-settings.ts';
import { guardRules } from '../../src/manifests/rbac.ts';
import { roleSecret } from '../../src/manifests/secrets.ts';
import { hbaFile } from '../../src/manifests/settings.ts';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { declared } from '../pulumi/components/support.ts';

const login = { login: 'shop_app', password: 'p' };

test("with TLS declared poolers, servers and the clients' Secret take nothing else", () => {
  const [tls, plain] = [declared({ tls: { plain: 'refused' } }), declared()];
  expect(hbaFile(tls)).not.toMatch(/^host .*scram/m);
  expect(hbaFile(plain)).not.toMatch(/hostssl/);
  expect(poolerSettings(tls)).toMatch(/client_tls_sslmode = require\n[^]*server_tls_sslmode = verify-full\n/);
  expect(poolerSettings(plain)).not.toMatch(/tls/);
  // PgBouncer refuses what is not named here, where it would otherwise be dropped in silence.
  expect(poolerSettings(plain)).toMatch(/^ignore_startup_parameters = extra_float_digits$/m);
  expect(roleSecret(tls, 'shop_app', login)['stringData']).toMatchObject({
    sslmode: 'verify-full',
    uri: expect.stringMatching(/\?sslmode=verify-full$/) as unknown,
  });
  expect(JSON.stringify(roleSecret(plain, 'shop_app', login))).not.toMatch(/ssl/);
});

test('while plain text is allowed clients may use TLS, and poolers use it to servers that have it', () => {
  const moving = declared({ tls: { plain: 'allowed' } });
  expect(poolerSettings(moving)).toMatch(/client_tls_sslmode = allow\n[^]*server_tls_sslmode = prefer\n/);
  expect(hbaFile(moving)).toMatch(/^hostssl .* verdigris_replication /m);
  expect(hbaFile(moving)).toMatch(/^host all all all scram-sha-256$/m);
});

test('the key is not in the guard, and a preview shows the Secrets without what is in them', () => {
  const environment = declared({ images: { pooler: 'p:1', verdigris: 'v:1' }, tls: { plain: 'refused' } });
  const pod = poolerDeployment(environment, { image: 'v:1', declaration: 'd', serviceAccount: 's' }) as unknown as {
    spec: {
      template: { spec: { containers: { name: string; volumeMounts: { name: string }[] }[]; volumes: unknown[] } };
    };
  };
  const mounts = Object.fromEntries(
    pod.spec.template.spec.containers.map(({ name, volumeMounts }) => [name, volumeMounts.map((each) => each.name)]),
  );
  expect(mounts['pgbouncer']).toContain('tls');
  expect(mounts['guard']).toContain('authority');
  expect(mounts['guard']).not.toContain('tls');
  // From the Secret, and of that the certificate alone: whoever may edit ConfigMaps decides not whom guards trust.
  expect(pod.spec.template.spec.volumes).toContainEqual({
    name: 'authority',
    secret: { secretName: 'shop-tls', items: [{ key: 'ca.crt', path: 'ca.crt' }], defaultMode: 0o440 },
  });
  expect(JSON.stringify(guardRules(environment))).not.toContain('shop-tls');
  const { objects } = plannedObjects(environment, {}, { standing: unborn(environment) });
  expect(objects['Secret/shop-tls']).not.toHaveProperty('stringData');
  expect(objects['Secret/shop-authority']).not.toHaveProperty('stringData');
  expect(certificateNames(environment)).toEqual(
    expect.arrayContaining([
      'shop-blue.shops.svc',
      'shop-rw.shops.svc',
      'shop-pooler',
      'shop-pooler.shops.svc.cluster.local',
    ]),
  );
});

test("a guard takes the authority's certificate from its mount, and its Role reads no Secret with a server's key", async () => {
  const images = { pooler: 'p:1', verdigris: 'v:1' };
  const folder = await temporaryFolder();
  const authority = path.join(folder, 'ca.crt');
  await writeFile(authority, '');
  for (const tls of [{ plain: 'refused' }, { plain: 'allowed' }, { plain: 'refused', secret: 'of-cert-manager' }]) {
    const environment = declared({ images, tls });
    const read = guardRules(environment).filter(({ resources }) => resources.includes('secrets'));
    expect(read).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: expect.any(Array) as unknown },
    ]);
    expect(read[0]?.resourceNames).toEqual([
      objectNames.operatorSecret('shop'),
      ...['shop_app', 'shop_reader'].map((role) => objectNames.roleSecret('shop', role)),
    ]);
    // Nobody answers there: a Secret could not be read.
    const cluster = Cluster.of(new KubeConfig(), environment.kubernetes.namespace);
    const platform = new KubernetesPlatform(environment, cluster, { guard: true, authority });
    for (const each of [platform, platform.sibling(environment)])
      expect(await each.trust.of('shop-blue.shops.svc')).toEqual({
        mode: 'verify-full',
        ca: authority,
        servername: 'shop-blue.shops.svc',
      });
  }
  await rm(folder, { recursive: true });
});

test('metrics have the certificate of who signed as a file too, where there is one, and no key', () => {
  const images = { pooler: 'p:1', verdigris: 'v:1' };
  const mounted = (tls?: object) =>
    JSON.stringify(metricsManifests(declared({ images, metrics: { enabled: true }, ...(tls ? { tls } : {}) })));
  for (const [tls, name] of [
    [{}, 'shop-tls'],
    [{ secret: 'of-cert-manager' }, 'of-cert-manager'],
  ] as const) {
    const text = mounted(tls);
    expect(text).toContain(`{"secretName":"${name}","items":[{"key":"ca.crt","path":"ca.crt"}],"defaultMode":288}`);
    expect(text).toContain('{"name":"authority","mountPath":"/etc/verdigris-authority","readOnly":true}');
    expect(text.split(name)).toHaveLength(2);
  }
  expect(mounted()).not.toContain('authority');
});

test('what runs beside a server reloads it once for each exchange of the mounted files', async () => {
  const folder = await temporaryFolder();
  await Promise.all(['1', '2', '3'].map((each) => mkdir(path.join(folder, each))));
  const link = async (to: string) => {
    await symlink(to, path.join(folder, 'fresh'));
    await rename(path.join(folder, 'fresh'), path.join(folder, '..data'));
  };
  await link('1');
  // A group of its own: the loop runs in the background and outlives its shell.
  const shell = spawn(
    'sh',
    ['-c', `sleep() { echo looked >&2; command sleep 0.02; }\n${reloadOnRenewal(folder, 'echo $seen')}\nwait`],
    { detached: true },
  );
  const said = shell.stdout[Symbol.asyncIterator]();
  const next = async () => String((await said.next()).value).trim();
  await once(shell.stderr, 'data');
  await link('2');
  expect(await next()).toBe('2');
  await link('3');
  expect(await next()).toBe('3');
  process.kill(-(shell.pid ?? 0));
  await rm(folder, { recursive: true });
});
