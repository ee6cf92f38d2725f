import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadEnvironment } from '../../src/cli/declaration.ts';
import {
  declarationConfig,
  declarationFile,
  declarationJson,
  migrationsConfig,
} from '../../src/manifests/declaration.ts';
import { colourConfig, colourServer } from '../../src/manifests/colour.ts';
import { deliveryManifests } from '../../src/manifests/delivery.ts';
import { drillManifests } from '../../src/manifests/drill.ts';
import { guardManifests } from '../../src/manifests/guard.ts';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { metricsManifests } from '../../src/manifests/metrics.ts';
import { fixedManifests } from '../../src/manifests/fixed.ts';
import { poolerConfig, poolerDeployment } from '../../src/manifests/pooler.ts';
import { sealSecret } from '../../src/manifests/seal.ts';
import { upgradeJob } from '../../src/manifests/upgrade.ts';
import { digestOf } from '../../src/machine/sealed.ts';
import { packedName, packFolder } from '../../src/migrations/packed.ts';
import { declared } from '../pulumi/components/support.ts';
import { temporaryFolder } from '../support/postgres.ts';

const environment = declared(
  {
    images: { pooler: 'pgbouncer:1.24', verdigris: 'verdigris:0.1.0' },
    tls: { plain: 'refused' },
    drill: { schedule: '0 4 * * 1' },
    metrics: { enabled: true },
  },
  { delivery: { controller: true, steps: ['seed', 'migrate', 'verify', 'switch'] } },
);

interface Pod {
  readonly containers: readonly {
    readonly env: readonly unknown[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly { readonly name: string }[];
}

/** Pod templates at any depth. */
function podsOf(value: unknown): Pod[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'containers' in value && 'volumes' in value ? [value as Pod] : [];
  return [...own, ...Object.values(value).flatMap(podsOf)];
}

test('every container that reads the declaration has the Secret of its seals, at a place of its own', () => {
  const { guard } = guardManifests(environment, {});
  const made: Manifest[] = [
    ...drillManifests(environment),
    ...deliveryManifests(environment),
    ...metricsManifests(environment),
    poolerDeployment(environment, guard),
  ];
  const reading = made
    .flatMap(podsOf)
    .flatMap(({ containers, volumes }) =>
      containers
        .filter(({ volumeMounts }) => volumeMounts.some(({ mountPath }) => mountPath === '/etc/verdigris'))
        .map(({ env, volumeMounts }) => ({ env, volumeMounts, volumes })),
    );
  expect(reading).toHaveLength(4);
  for (const { env, volumeMounts, volumes } of reading) {
    expect(env).toContainEqual({ name: 'VERDIGRIS_SEAL', value: '/etc/verdigris-seal' });
    expect(volumeMounts).toContainEqual({ name: 'seal', mountPath: '/etc/verdigris-seal', readOnly: true });
    expect(volumes).toContainEqual({ name: 'seal', secret: { secretName: 'shop-seal' } });
  }
});

test('a container mounts no ConfigMap but those whose digests are in the Secret: what else it runs or believes is in Secrets', () => {
  const { guard } = guardManifests(environment, {});
  const life = { colour: 'green', generation: 2, major: 17, release: '2', parked: false } as const;
  const made: Manifest[] = [
    ...fixedManifests(environment),
    colourServer(environment, life),
    upgradeJob(environment, 'upgrade:17', { colour: 'green', generation: 2, from: 15, to: 17 }),
    poolerDeployment(environment, guard),
  ];
  const mounted = made.flatMap(podsOf).flatMap(({ volumes }) => volumes);
  const names = [...JSON.stringify(mounted).matchAll(/"configMap":\{"name":"([^"]+)"/g)].map(([, name]) => name);
  // Who signed the API server's certificate is Kubernetes's own, and put back where somebody edits it.
  expect(new Set(names)).toEqual(new Set(['shop-declaration', 'shop-migrations', 'kube-root-ca.crt']));
  const run = [colourConfig(environment, life), poolerConfig(environment)];
  for (const { kind, metadata } of run) {
    expect(kind).toBe('Secret');
    expect(mounted).toContainEqual(
      expect.objectContaining({ secret: expect.objectContaining({ secretName: metadata.name }) as unknown }),
    );
  }
});

let pod: string;
beforeEach(async () => {
  pod = await temporaryFolder();
  vi.stubEnv('VERDIGRIS_SEAL', path.join(pod, 'seal'));
});
afterEach(() => rm(pod, { recursive: true, force: true }));

/** Lays objects out as kubelet does. */
async function mount(folder: string, { data = {}, binaryData = {} }: Record<string, unknown>): Promise<void> {
  await mkdir(path.join(pod, folder), { recursive: true });
  for (const [name, text] of Object.entries(data as Record<string, string>))
    await writeFile(path.join(pod, folder, name), folder === 'seal' ? Buffer.from(text, 'base64') : text);
  for (const [name, text] of Object.entries(binaryData as Record<string, string>))
    await writeFile(path.join(pod, folder, name), Buffer.from(text, 'base64'));
}

test('who changes a ConfigMap, its declaration or its migrations, runs nothing by it', async () => {
  const raw = {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['app'] },
    colours: { blue: { release: '1', postgres: 17 }, green: { release: '2', postgres: 17, migrations: '.' } },
    live: 'blue',
  };
  const file = path.join(pod, 'mounted', declarationFile);
  const source = path.join(pod, 'source');
  await mkdir(source);
  await writeFile(path.join(source, '0001_a.sql'), 'SELECT 1');
  const packed = await packFolder(source);
  const sealed = { [declarationFile]: declarationJson(raw), [packedName('green')]: packed };
  await mount(
    'seal',
    sealSecret(
      environment,
      Object.fromEntries(
        Object.entries(sealed).map(([name, each]) => [name, `${digestOf(each)} ${digestOf('before')}`]),
      ),
    ),
  );
  await mount('mounted', declarationConfig(environment, raw));
  await mount('mounted', migrationsConfig(environment, { [packedName('green')]: packed }));

  // What somebody lays beside it is not taken for the declared folder.
  await mount('mounted', { data: { '0002_evil.sql': 'SELECT 2' } });
  const { environment: loaded } = await loadEnvironment(file);
  expect(loaded.colours.green?.migrations).not.toBe(path.join(pod, 'mounted'));

  const evil = { ...raw, hooks: { climb: { before: ['switch'], command: ['/bin/sh', '-c', 'id'] } } };
  await mount('mounted', declarationConfig(environment, evil));
  await expect(loadEnvironment(file)).rejects.toMatchObject({ id: 'declaration-unsealed' });

  await mount('mounted', declarationConfig(environment, raw));
  await writeFile(path.join(source, '0001_a.sql'), 'ALTER ROLE app SUPERUSER');
  await mount('mounted', migrationsConfig(environment, { [packedName('green')]: await packFolder(source) }));
  await expect(loadEnvironment(file)).rejects.toMatchObject({ id: 'declaration-unsealed' });

  // One that nobody sealed is not believed either.
  await rm(path.join(pod, 'seal', packedName('green')));
  await mount('mounted', migrationsConfig(environment, { [packedName('green')]: packed }));
  await expect(loadEnvironment(file)).rejects.toMatchObject({ id: 'declaration-unsealed' });
});
