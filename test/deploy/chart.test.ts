import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { deliveryManifests } from '../../src/manifests/delivery.ts';
import { drillManifests } from '../../src/manifests/drill.ts';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { metricsManifests } from '../../src/manifests/metrics.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { addToPath, buildLimit, helmBin } from '../migrations/tools/tools.ts';

beforeAll(async () => addToPath(await helmBin()), buildLimit);

const chart = 'deploy/chart';
const image = 'registry.example/verdigris:0.1.0';
const all = [
  'metrics.enabled=true',
  'dashboard.enabled=true',
  'flags.enabled=true',
  'controller.enabled=true',
  'drill.schedule=0 4 * * 1',
];

async function render(...values: string[]): Promise<Manifest[]> {
  const set = ['environment=shop', `image=${image}`, ...values].flatMap((each) => ['--set', each]);
  const { stdout } = await execa('helm', ['template', 'shop', chart, '--namespace', 'shops', ...set]);
  return parseAllDocuments(stdout).flatMap((each) => (each.contents === null ? [] : [each.toJS() as Manifest]));
}

test('helm finds nothing to object to, with nothing and with everything on, and refuses values that the chart does not know', async () => {
  const set = ['environment=shop', `image=${image}`, ...all].flatMap((each) => ['--set', each]);
  await execa('helm', ['lint', '--strict', chart, ...set]);
  expect(await render()).toEqual([]);
  await expect(render('dashbord.enabled=true')).rejects.toThrow(/additional properties|dashbord/i);
  await expect(render('environment=Shop')).rejects.toThrow(/pattern/i);
});

test('what the chart makes is what Verdigris makes by itself where it does too', async () => {
  const environment = parseEnvironment(
    {
      ...declared,
      delivery: { steps: ['seed', 'migrate', 'verify', 'switch'], controller: true },
      kubernetes: {
        namespace: 'shops',
        images: { pooler: 'pgbouncer:1', verdigris: image },
        metrics: { enabled: true },
        drill: { schedule: '0 4 * * 1', limit: '2h' },
      },
    },
    'the test',
  );
  const made = await render(...all);
  const find = ({ kind, metadata: { name } }: Manifest): unknown =>
    made.find((each) => each.kind === kind && each.metadata.name === name);
  const own = [...metricsManifests(environment), ...drillManifests(environment), ...deliveryManifests(environment)];
  expect(own.map(({ kind }) => kind)).toContain('CronJob');
  for (const manifest of own.filter(({ kind }) => kind !== 'Deployment' && kind !== 'CronJob' && kind !== 'Service'))
    expect(find(manifest), `${manifest.kind} ${manifest.metadata.name}`).toEqual(plain(manifest));
  const commands = (manifests: readonly Manifest[]): string[] =>
    [...JSON.stringify(manifests).matchAll(/"command":(\[[^\]]+\])/g)].map(([, command = '']) => command);
  const controller = (manifests: readonly Manifest[]): unknown => {
    const found = manifests.find(({ kind, metadata: { name } }) => kind === 'Deployment' && name === 'shop-delivery');
    const { template } = found?.['spec'] as {
      template: { spec: { volumes: unknown; containers: { resources: unknown }[] } };
    };
    return { volumes: template.spec.volumes, resources: template.spec.containers[0]?.resources };
  };
  // With the migrations, which a release runs, and the memory that it takes.
  expect(controller(made)).toEqual(controller(own));
  for (const command of commands(own)) expect(commands(made)).toContain(command);
});

test('dashboard and flags may read one Secret, that of the role that can only read, and nothing may be changed by them', async () => {
  const roles = (await render(...all)).filter(
    ({ kind, metadata }) => kind === 'Role' && /dashboard|flags/.test(metadata.name),
  );
  expect(roles).toHaveLength(2);
  for (const { rules } of roles as unknown as {
    rules: { resources: string[]; verbs: string[]; resourceNames?: string[] }[];
  }[]) {
    expect(rules.flatMap(({ verbs }) => verbs).filter((verb) => !['get', 'list'].includes(verb))).toEqual([]);
    const secrets = rules.filter(({ resources }) => resources.includes('secrets'));
    expect(secrets).toMatchObject([{ resourceNames: ['shop-reader'], verbs: ['get'] }]);
  }
});

test('what only looks has the certificate of who signed as a file, of whichever Secret', async () => {
  const mounts = async (...values: string[]) =>
    [
      ...JSON.stringify(await render(...all, ...values)).matchAll(
        /"name":"authority","secret":\{[^}]*?"secretName":"([^"]+)"/g,
      ),
    ].map(([, name]) => name);
  expect(await mounts()).toEqual(['shop-tls', 'shop-tls', 'shop-tls']);
  expect(await mounts('certificateSecret=theirs')).toEqual(['theirs', 'theirs', 'theirs']);
});

test('every pod keeps the restricted Pod Security Standard, with a root file system that nobody can write to', async () => {
  const pods = [...JSON.stringify(await render(...all)).matchAll(/"securityContext":(\{.*?\}\}|\{[^}]*\})/g)].map(
    ([, each = '']) => each,
  );
  expect(pods.length).toBe(10);
  expect(pods.filter((each) => !each.includes('"runAsNonRoot":true'))).toEqual([]);
});

/** Without what keeps Argo CD from pruning: a chart's objects are somebody's application. */
function plain(manifest: Manifest): unknown {
  const { annotations: _, ...rest } = manifest.metadata;
  return parse(JSON.stringify({ ...manifest, metadata: rest }));
}

const declared = {
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['app'] },
  colours: { blue: { release: '1', postgres: 17 } },
  live: 'blue',
};
